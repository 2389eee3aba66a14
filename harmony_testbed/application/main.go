// An application that uses a key-value bucket of NATS with nothing but a credential that was handed to it as files of a directory, such as a
// mounted Secret: `url`, `ca.crt`, `inbox-prefix`, and `nkey` or `user` and `password`.
//
//	application DIRECTORY put BUCKET KEY VALUE
//	application DIRECTORY get BUCKET KEY
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

const limit = 10 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) < 4 {
		return fmt.Errorf("usage: application DIRECTORY put BUCKET KEY VALUE | application DIRECTORY get BUCKET KEY")
	}
	connection, err := connect(arguments[0])
	if err != nil {
		return err
	}
	defer connection.Close()
	streams, err := connection.JetStream(nats.MaxWait(limit))
	if err != nil {
		return err
	}
	bucket, err := streams.KeyValue(arguments[2])
	if err != nil {
		return err
	}
	switch {
	case arguments[1] == "put" && len(arguments) == 5:
		revision, err := bucket.PutString(arguments[3], arguments[4])
		if err != nil {
			return err
		}
		fmt.Printf("%s is revision %d on %s\n", arguments[3], revision, connection.ConnectedServerName())
		return nil
	case arguments[1] == "get" && len(arguments) == 4:
		entry, err := bucket.Get(arguments[3])
		if err != nil {
			return err
		}
		fmt.Printf("%s on %s\n", entry.Value(), connection.ConnectedServerName())
		return nil
	}
	return fmt.Errorf("neither put nor get: %s", strings.Join(arguments[1:], " "))
}

// connect tries the servers in the order in which they are named.
func connect(directory string) (*nats.Conn, error) {
	read := func(name string) (string, error) {
		contents, err := os.ReadFile(filepath.Join(directory, name))
		return string(contents), err
	}
	url, err := read("url")
	if err != nil {
		return nil, err
	}
	prefix, err := read("inbox-prefix")
	if err != nil {
		return nil, err
	}
	options := []nats.Option{
		nats.RootCAs(filepath.Join(directory, "ca.crt")),
		nats.CustomInboxPrefix(prefix),
		nats.DontRandomize(),
		nats.Timeout(limit),
	}
	seed, err := read("nkey")
	if err == nil {
		credential, err := nkey(seed)
		if err != nil {
			return nil, err
		}
		return nats.Connect(url, append(options, credential)...)
	}
	user, err := read("user")
	if err != nil {
		return nil, err
	}
	password, err := read("password")
	if err != nil {
		return nil, err
	}
	return nats.Connect(url, append(options, nats.UserInfo(user, password))...)
}

func nkey(seed string) (nats.Option, error) {
	pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(seed)))
	if err != nil {
		return nil, err
	}
	public, err := pair.PublicKey()
	if err != nil {
		return nil, err
	}
	return nats.Nkey(public, pair.Sign), nil
}
