// What client-go sees of a namespace: the calls that clients make, and an informer beside them, as a transcript.
// With a third argument, only an informer, which tells each event in a line as it comes, until its input ends.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

const endsWithin = 30 * time.Second

// seen holds what the informer told, and lets the transcript wait for it.
type seen struct {
	sync.Mutex
	lines []string
	more  *sync.Cond
}

func (s *seen) add(format string, arguments ...any) {
	s.Lock()
	defer s.Unlock()
	s.lines = append(s.lines, fmt.Sprintf(format, arguments...))
	s.more.Broadcast()
}

func (s *seen) until(line string) {
	s.Lock()
	defer s.Unlock()
	for len(s.lines) == 0 || s.lines[len(s.lines)-1] != line {
		s.more.Wait()
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	must(err)
	client, err := kubernetes.NewForConfig(config)
	must(err)
	if len(os.Args) > 3 {
		follow(client, os.Args[2])
		return
	}
	time.AfterFunc(endsWithin, func() {
		fmt.Println("the informer did not tell what was waited for")
		os.Exit(1)
	})
	run(client, os.Args[2])
}

func run(client kubernetes.Interface, namespace string) {
	ctx, maps := context.Background(), client.CoreV1().ConfigMaps(namespace)
	told := &seen{}
	told.more = sync.NewCond(told)
	factory := informers.NewSharedInformerFactoryWithOptions(client, time.Second, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps()
	_, err := informer.Informer().AddEventHandler(handler(told))
	must(err)
	_, err = maps.Create(ctx, object("before", nil), meta.CreateOptions{})
	must(err)
	stop := make(chan struct{})
	factory.Start(stop)
	fmt.Println("synced", cache.WaitForCacheSync(stop, informer.Informer().HasSynced))
	told.until("added before map[]")

	made, err := maps.Create(ctx, object("a", map[string]string{"k": "1"}), meta.CreateOptions{})
	fmt.Println("create", err, made.Name)
	told.until("added a map[k:1]")
	_, err = maps.Create(ctx, object("a", nil), meta.CreateOptions{})
	fmt.Println("again", errors.IsAlreadyExists(err), err)
	stale := made.DeepCopy()
	made.Data["k"] = "2"
	made, err = maps.Update(ctx, made, meta.UpdateOptions{})
	fmt.Println("update", err, made.Data)
	told.until("updated a map[k:2]")
	stale.Data["k"] = "3"
	_, err = maps.Update(ctx, stale, meta.UpdateOptions{})
	fmt.Println("stale", errors.IsConflict(err), err)
	fmt.Println("retried", retry.RetryOnConflict(retry.DefaultRetry, func() error {
		fresh, err := maps.Get(ctx, "a", meta.GetOptions{})
		if err != nil {
			return err
		}
		fresh.Data["k"] = "4"
		_, err = maps.Update(ctx, fresh, meta.UpdateOptions{})
		return err
	}))
	told.until("updated a map[k:4]")
	made, err = maps.Patch(ctx, "a", types.MergePatchType, []byte(`{"data":{"l":"5"}}`), meta.PatchOptions{})
	fmt.Println("patch", err, made.Data)
	told.until("updated a map[k:4 l:5]")
	_, err = maps.Patch(ctx, "none", types.MergePatchType, []byte(`{}`), meta.PatchOptions{})
	fmt.Println("patch nobody", errors.IsNotFound(err), err)
	listed, err := maps.List(ctx, meta.ListOptions{LabelSelector: "own=yes", Limit: 1})
	fmt.Println("list", err, len(listed.Items), listed.Continue != "")
	fmt.Println("delete", maps.Delete(ctx, "a", meta.DeleteOptions{}))
	told.until("deleted a map[k:4 l:5]")
	fmt.Println("collection", maps.DeleteCollection(ctx, meta.DeleteOptions{}, meta.ListOptions{LabelSelector: "own=yes"}))
	told.until("deleted before map[]")
	_, err = maps.Get(ctx, "a", meta.GetOptions{})
	fmt.Println("get nobody", errors.IsNotFound(err), err)
	_, err = maps.Create(ctx, object("Wrong_Name", nil), meta.CreateOptions{})
	fmt.Println("wrong", errors.IsInvalid(err))
	close(stop)
	for _, line := range told.lines {
		fmt.Println("informer:", line)
	}
}

func follow(client kubernetes.Interface, namespace string) {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(namespace))
	_, err := factory.Core().V1().ConfigMaps().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(one any) { tell("added", one) },
		UpdateFunc: func(before, after any) {
			if before.(*core.ConfigMap).ResourceVersion != after.(*core.ConfigMap).ResourceVersion { // or it is listed again
				tell("updated", after)
			}
		},
		DeleteFunc: func(one any) { tell("deleted", one) },
	})
	must(err)
	stop := make(chan struct{})
	factory.Start(stop)
	_, _ = io.ReadAll(os.Stdin)
	close(stop)
}

func tell(what string, one any) {
	if unseen, missed := one.(cache.DeletedFinalStateUnknown); missed {
		one = unseen.Obj
	}
	object := one.(*core.ConfigMap)
	fmt.Println(what, object.Name, object.Data["n"])
}

func handler(told *seen) cache.ResourceEventHandler {
	return cache.ResourceEventHandlerFuncs{
		AddFunc: func(one any) {
			if object := one.(*core.ConfigMap); object.Labels["own"] == "yes" {
				told.add("added %s %v", object.Name, object.Data)
			}
		},
		UpdateFunc: func(before, after any) {
			object := after.(*core.ConfigMap)
			if before.(*core.ConfigMap).ResourceVersion != object.ResourceVersion { // resyncs tell what is known
				told.add("updated %s %v", object.Name, object.Data)
			}
		},
		DeleteFunc: func(one any) {
			if object, whole := one.(*core.ConfigMap); whole && object.Labels["own"] == "yes" {
				told.add("deleted %s %v", object.Name, object.Data)
			}
		},
	}
}

func object(name string, data map[string]string) *core.ConfigMap {
	labels := map[string]string{"own": "yes"}
	return &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: name, Labels: labels}, Data: data}
}

func must(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
