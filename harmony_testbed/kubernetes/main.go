// All of a Kubernetes cluster's own programs as one: the first argument picks the component, the others are the component's.
//
// Besides the components there are those that look after them, in life.go.
package main

import (
	"context"
	"fmt"
	"os"
	_ "time/tzdata"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// commands are the components that are cobra commands.
var commands = map[string]func() *cobra.Command{
	"kube-apiserver":          apiserver.NewAPIServerCommand,
	"kube-controller-manager": controllermanager.NewControllerManagerCommand,
	"kube-scheduler":          func() *cobra.Command { return scheduler.NewSchedulerCommand() },
	"kubelet":                 func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) },
	"kube-proxy":              proxy.NewProxyCommand,
	"kubectl":                 kubectl.NewDefaultKubectlCommand,
}

func main() {
	if len(os.Args) < 2 {
		refuse("no component is named")
	}
	component := os.Args[1]
	// The components read their arguments from here themselves.
	os.Args = os.Args[1:]
	if component == "keeper" {
		keep(os.Args[1:])
		return
	}
	endWithOwner()
	tendVolumes()
	switch component {
	case "etcd":
		etcdmain.Main(os.Args)
	case "leader":
		lead(os.Args[1:])
	default:
		command, known := commands[component]
		if !known {
			refuse(fmt.Sprintf("`%s` is no component", component))
		}
		os.Exit(cli.Run(command()))
	}
}

func refuse(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}
