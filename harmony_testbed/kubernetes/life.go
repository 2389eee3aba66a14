package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lifeline is the variable by which an owner says that standard input is its lifeline: a pipe whose other end it holds. It closes when the
// owner ends, however it ends.
const lifeline = "HARMONY_TESTBED_LIFELINE"

// patience is how long the keeper goes on trying to remove what others may still be writing into.
const patience = 20 * time.Second

// endWithOwner ends this process as a kill would when its owner is gone.
func endWithOwner() {
	if os.Getenv(lifeline) != "stdin" {
		return
	}
	os.Unsetenv(lifeline)
	go func() {
		awaitOwner()
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		// The first process of a process namespace is not killed by its own signals.
		os.Exit(1)
	}()
}

func awaitOwner() {
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// keep waits for the owner's end, then removes what is named: `cgroup=NAME` a control group with all below, anything else a directory
// with everything in it; in this order, so that what is named last is gone when all is.
func keep(things []string) {
	// A key pressed in the owner's terminal is not meant for the keeper.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	awaitOwner()
	deadline := time.Now().Add(patience)
	// Others that end with the owner may still be writing: what was removed has to stay so.
	for gone := 0; gone < 3; time.Sleep(50 * time.Millisecond) {
		gone++
		for _, thing := range things {
			if !remove(thing) {
				gone = 0
				break
			}
		}
		if time.Now().After(deadline) {
			refuse("left behind: one of " + strings.Join(things, " "))
		}
	}
}

// remove returns whether the thing is gone.
func remove(thing string) bool {
	if name, isGroup := strings.CutPrefix(thing, "cgroup="); isGroup {
		return removeGroups(name)
	}
	return os.RemoveAll(thing) == nil
}

// removeGroups removes the control group of that name, which the first version of control groups has once for each controller.
func removeGroups(name string) bool {
	groups, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
	removed := true
	for _, group := range append(groups, "/sys/fs/cgroup/"+name) {
		removed = removeGroup(group) && removed
	}
	return removed
}

// removeGroup removes the innermost control groups first: their files cannot be removed, and need not be.
func removeGroup(group string) bool {
	below, err := os.ReadDir(group)
	if err != nil {
		return os.IsNotExist(err)
	}
	for _, entry := range below {
		if entry.IsDir() {
			removeGroup(filepath.Join(group, entry.Name()))
		}
	}
	return syscall.Rmdir(group) == nil
}

// lead is the first process of a process namespace: it takes in those whose parent has ended, and when it ends, all of them do. Before, it
// puts directories and files in place of others (`SOURCE:TARGET`), for everything that is started in this mount namespace.
func lead(places []string) {
	for _, place := range places {
		source, target, _ := strings.Cut(place, ":")
		if err := syscall.Mount(source, target, "", syscall.MS_BIND, ""); err != nil {
			refuse("failed to put " + source + " in place of " + target + ": " + err.Error())
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		refuse("failed to let packets through: " + err.Error())
	}
	children := make(chan os.Signal, 16)
	signal.Notify(children, syscall.SIGCHLD)
	// Ending is the owner's to decide.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	fmt.Println("leading")
	for range children {
		for {
			if child, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || child <= 0 {
				break
			}
		}
	}
}
