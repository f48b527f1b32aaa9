package telemetry

import "sync"

// poolOf is a sync.Pool that knows what it holds.
type poolOf[T any] struct{ pool sync.Pool }

// get returns one that was put back, or a new one.
func (p *poolOf[T]) get() *T {
	if v, ok := p.pool.Get().(*T); ok {
		return v
	}
	return new(T)
}

func (p *poolOf[T]) put(v *T) { p.pool.Put(v) }
