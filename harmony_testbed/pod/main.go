// The program of the test pods: waits (`pause`), answers (`serve ADDRESS`), looks names up (`lookup NAME`), asks (`fetch URL`), keeps things
// (`write FILE`, `read FILE`), or becomes another
// program once it has emptied a directory (`empty DIRECTORY PROGRAM ARGUMENT...`).
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const limit = 5 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	switch {
	case len(arguments) == 1 && arguments[0] == "pause":
		pause()
		return nil
	case len(arguments) == 2 && arguments[0] == "serve":
		return serve(arguments[1])
	case len(arguments) == 2 && arguments[0] == "lookup":
		return lookup(arguments[1])
	case len(arguments) == 2 && arguments[0] == "fetch":
		return fetch(arguments[1])
	case len(arguments) == 2 && arguments[0] == "write":
		return os.WriteFile(arguments[1], []byte("kept\n"), 0o600)
	case len(arguments) == 2 && arguments[0] == "read":
		contents, err := os.ReadFile(arguments[1])
		fmt.Print(string(contents))
		return err
	case len(arguments) >= 3 && arguments[0] == "empty":
		return empty(arguments[1], arguments[2:])
	}
	return fmt.Errorf("usage: pod pause | serve ADDRESS | lookup NAME | fetch URL | write FILE | read FILE | empty DIRECTORY PROGRAM ...")
}

// pause holds the namespaces of a pod and takes in its orphans, until it is told to end.
func pause() {
	ends := make(chan os.Signal, 1)
	signal.Notify(ends, syscall.SIGINT, syscall.SIGTERM)
	children := make(chan os.Signal, 16)
	signal.Notify(children, syscall.SIGCHLD)
	for {
		select {
		case <-ends:
			return
		case <-children:
			for {
				if child, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); err != nil || child <= 0 {
					break
				}
			}
		}
	}
}

// serve answers every request with the name of its host, and says on standard output what it was asked.
func serve(address string) error {
	name, err := os.Hostname()
	if err != nil {
		return err
	}
	fmt.Printf("serving on %s\n", address)
	return http.ListenAndServe(address, http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		fmt.Printf("asked for %s\n", request.URL.Path)
		fmt.Fprintln(answer, name)
	}))
}

// empty takes everything out of a directory, as if its volume had been lost, and becomes the program.
func empty(directory string, program []string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return err
		}
	}
	return syscall.Exec(program[0], program, os.Environ())
}

func lookup(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, name)
	if err != nil {
		return err
	}
	fmt.Println(strings.Join(addresses, "\n"))
	return nil
}

func fetch(url string) error {
	client := http.Client{Timeout: limit}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}
