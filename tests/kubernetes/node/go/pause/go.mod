module klamm/tests/kubernetes/pause

go 1.24.0
