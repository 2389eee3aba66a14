package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// The controller manager makes volumes for claims, as directories in /tmp/hostpath_pv. Three things that other provisioners do it does not.
const (
	// ownTmp names the directory to be seen as /tmp, so that volumes are nowhere else. It is set where this process has a mount namespace of
	// its own.
	ownTmp = "HARMONY_TESTBED_TMP"
	// openVolumes says that everybody may write to volumes: pods do not run as root.
	openVolumes = "HARMONY_TESTBED_OPEN_VOLUMES"
	// growVolumes names the kubeconfig with which volumes are grown for claims that have come to ask for more.
	growVolumes = "HARMONY_TESTBED_GROW_VOLUMES"
)

// tendVolumes does what the variables of this process say.
func tendVolumes() {
	if directory, isSet := os.LookupEnv(ownTmp); isSet {
		os.Unsetenv(ownTmp)
		if err := syscall.Mount(directory, "/tmp", "", syscall.MS_BIND, ""); err != nil {
			refuse("failed to use " + directory + " as /tmp: " + err.Error())
		}
	}
	if os.Getenv(openVolumes) != "" {
		go openNewVolumes()
	}
	if kubeconfig := os.Getenv(growVolumes); kubeconfig != "" {
		go grow(kubeconfig)
	}
}

func openNewVolumes() {
	for ; ; time.Sleep(20 * time.Millisecond) {
		volumes, _ := filepath.Glob("/tmp/hostpath_pv/*")
		for _, volume := range volumes {
			if state, err := os.Stat(volume); err == nil && state.Mode().Perm() != 0o777 {
				_ = os.Chmod(volume, 0o777)
			}
		}
	}
}

// grow gives each bound claim that asks for more than it has what it asks for: a directory has no size.
func grow(kubeconfig string) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		refuse("failed to read " + kubeconfig + ": " + err.Error())
	}
	config.UserAgent = "testbed-volumes"
	client := kubernetes.NewForConfigOrDie(config)
	factory := informers.NewSharedInformerFactory(client, 0)
	claims := factory.Core().V1().PersistentVolumeClaims().Informer()
	look := func(object any) {
		if claim, isClaim := object.(*core.PersistentVolumeClaim); isClaim && asksForMore(claim) {
			if err := growClaim(client, claim.DeepCopy()); err != nil {
				fmt.Fprintf(os.Stderr, "failed to grow the volume of claim %s/%s: %v\n", claim.Namespace, claim.Name, err)
			}
		}
	}
	_, _ = claims.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: look, UpdateFunc: func(_, now any) { look(now) }})
	factory.Start(context.Background().Done())
}

func asksForMore(claim *core.PersistentVolumeClaim) bool {
	wanted, has := claim.Spec.Resources.Requests[core.ResourceStorage], claim.Status.Capacity[core.ResourceStorage]
	return claim.Status.Phase == core.ClaimBound && wanted.Cmp(has) > 0
}

func growClaim(client kubernetes.Interface, claim *core.PersistentVolumeClaim) error {
	size := claim.Spec.Resources.Requests[core.ResourceStorage]
	volumes := client.CoreV1().PersistentVolumes()
	volume, err := volumes.Get(context.Background(), claim.Spec.VolumeName, meta.GetOptions{})
	if err != nil {
		return err
	}
	volume.Spec.Capacity[core.ResourceStorage] = size
	if _, err := volumes.Update(context.Background(), volume, meta.UpdateOptions{}); err != nil {
		return err
	}
	claim.Status.Capacity[core.ResourceStorage] = size
	claim.Status.Conditions = nil
	_, err = client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(context.Background(), claim, meta.UpdateOptions{})
	return err
}
