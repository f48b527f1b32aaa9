package main

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// TestTheLastCall: who knocked before it is served, who knocks after it is not
// even let in, and so is not reset when the port closes.
func TestTheLastCall(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	listen.SetMultipathTCP(false)
	l, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const waiting = 5
	var clients [waiting]net.Conn
	for i := range clients {
		if clients[i], err = net.Dial("tcp", l.Addr().String()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { clients[i].Close() })
	}
	if err := lastCall(l); err != nil {
		t.Fatal(err)
	}
	late, err := net.DialTimeout("tcp", l.Addr().String(), 100*time.Millisecond)
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("a connection after the last call = %v, %v, want none, and no answer either", late, err)
	}
	for _, client := range clients {
		server, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { server.Close() })
		if _, err := io.WriteString(client, "hello"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len("hello"))
		if _, err := io.ReadFull(server, got); err != nil || string(got) != "hello" {
			t.Errorf("who had knocked before said %q: %v", got, err)
		}
	}
}
