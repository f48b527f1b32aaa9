package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
)

// memo remembers what compute made of each key, up to limit keys; after that it
// computes anew each time. A key seen before costs one map look-up, no lock and
// no allocation.
type memo[K comparable, V any] struct {
	compute func(K) V
	limit   int

	known atomic.Pointer[map[K]V]
	mu    sync.Mutex
}

func newMemo[K comparable, V any](limit int, compute func(K) V) *memo[K, V] {
	m := &memo[K, V]{compute: compute, limit: limit}
	m.known.Store(&map[K]V{})
	return m
}

func (m *memo[K, V]) of(key K) V {
	if v, ok := (*m.known.Load())[key]; ok {
		return v
	}
	v := m.compute(key)
	m.mu.Lock()
	defer m.mu.Unlock()
	known := *m.known.Load()
	if first, ok := known[key]; ok {
		return first // somebody was faster
	}
	if len(known) < m.limit {
		next := maps.Clone(known)
		next[key] = v
		m.known.Store(&next)
	}
	return v
}
