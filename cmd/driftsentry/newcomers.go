package main

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// newcomers are the connections that were accepted and have not sent a request
// yet. net/http drops, unanswered, every request it reads after Shutdown was
// called, so they are heard first.
type newcomers struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// observe is http.Server's ConnState.
func (n *newcomers) observe(c net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if state != http.StateNew {
		delete(n.conns, c)
		return
	}
	if n.conns == nil {
		n.conns = map[net.Conn]struct{}{}
	}
	n.conns[c] = struct{}{}
}

func (n *newcomers) waiting() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.conns)
}

// settle waits until no newcomer has been seen for a while: some may still be
// on their way from the kernel. One that says nothing is not waited for long.
func (n *newcomers) settle(ctx context.Context) {
	const (
		step     = 10 * time.Millisecond
		quiet    = 20 // steps without a newcomer
		patience = 5 * time.Second
	)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(step)
	defer tick.Stop()
	for calm := 0; calm < quiet; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if calm++; n.waiting() > 0 {
			calm = 0
		}
	}
}
