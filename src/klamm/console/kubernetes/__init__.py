"""The operator's view: resources, pods, rolls and certificates, as the Kubernetes API tells of them."""
