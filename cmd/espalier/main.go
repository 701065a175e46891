// Command espalier trains, prunes and measures convolutional networks on the processors of one machine.
//
// Begin with
//
//	go run ./cmd/espalier quickstart
//
// which needs no data and no settings, and go on with espalier help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	os.Exit(newApp(os.Stdout, os.Stderr).run(ctx, os.Args[1:]))
}
