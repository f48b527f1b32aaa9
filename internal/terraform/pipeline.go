package terraform

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Checking the text of a plan and understanding it take about the same time, so
// they are done side by side: the decoder hands checked values over in batches
// to one worker, which looks at them in the plan's order.

const (
	batchSize  = 256 << 10 // bytes; a larger value is not handed over
	batchItems = 1024
	batches    = 4
)

// batch is a number of values on their way to the worker and back.
type batch struct {
	text  []byte
	items []item
	// failure is what stopped the worker, in this batch or before it.
	failure error
}

// item is a value and what to do with it.
type item struct {
	start, end int // in the batch's text
	at         position
	do         func(text []byte) error
}

// position is where in the plan a value stands.
type position struct {
	section string
	index   int // in the section, when it is a list of resources; else none
	offset  int64
}

const none = -1

// pipeline is the way to the worker. What the functions handed over touch is the
// worker's until idle or finish has returned.
type pipeline struct {
	filling *batch
	full    chan *batch
	empty   chan *batch
}

// start starts the worker.
func (l *pipeline) start() {
	l.full, l.empty = make(chan *batch, batches), make(chan *batch, batches)
	for range batches - 1 {
		l.empty <- &batch{}
	}
	l.filling = &batch{}
	go func() {
		defer close(l.empty)
		var failure error
		for b := range l.full {
			if failure == nil {
				failure = b.run()
			}
			b.failure = failure
			l.empty <- b
		}
	}()
}

// run looks at the values of a batch.
func (b *batch) run() (failure error) {
	defer func() {
		if v := recover(); v != nil {
			failure = crash{v, debug.Stack()}
		}
	}()
	for _, i := range b.items {
		if err := locate(i.do(b.text[i.start:i.end]), i.at); err != nil {
			return err
		}
	}
	return nil
}

// hand hands a value to the worker: do will be called with a copy of it. The
// error may be one about an earlier value.
func (l *pipeline) hand(text []byte, at position, do func(text []byte) error) error {
	if len(text) > batchSize {
		if err := l.idle(); err != nil {
			return err
		}
		return locate(do(text), at)
	}
	b := l.filling
	b.items = append(b.items, item{start: len(b.text), end: len(b.text) + len(text), at: at, do: do})
	b.text = append(b.text, text...)
	if len(b.text) < batchSize && len(b.items) < batchItems {
		return nil
	}
	l.full <- b
	return l.take()
}

// take takes a batch that has come back, to be filled again.
func (l *pipeline) take() error {
	b := <-l.empty
	failure := b.failure
	b.text, b.items, b.failure = b.text[:0], b.items[:0], nil
	l.filling = b
	if c, crashed := errors.AsType[crash](failure); crashed {
		close(l.full) // or the worker would wait for ever
		panic(c)
	}
	return failure
}

// idle waits until the worker has nothing to do.
func (l *pipeline) idle() error {
	l.full <- l.filling
	var back []*batch
	for range batches - 1 {
		if err := l.take(); err != nil {
			return err
		}
		back = append(back, l.filling)
	}
	// The last to come back is the one just sent.
	err := l.take()
	for _, b := range back {
		l.empty <- b
	}
	return err
}

// finish waits until the worker is done with everything, and ends it. It must be
// called once.
func (l *pipeline) finish() error {
	l.full <- l.filling
	close(l.full)
	var failure error
	for b := range l.empty {
		if b.failure != nil {
			failure = b.failure
		}
	}
	if c, crashed := errors.AsType[crash](failure); crashed {
		panic(c)
	}
	return failure
}

// crash is a panic of the worker. It goes on where the plan is read, so that
// whoever guards that place catches it.
type crash struct {
	value any
	stack []byte
}

// Error is for whoever catches the panic.
func (c crash) Error() string { return fmt.Sprintf("%v\n%s", c.value, c.stack) }
