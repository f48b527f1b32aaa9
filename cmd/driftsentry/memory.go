package main

import (
	"math"
	"runtime/debug"
)

// leanMemory is how much the Go runtime may hold before it collects garbage
// more often than GOGC asks for. An upload of 100,000 drifts keeps some 50 MB
// alive and makes ten times that in garbage; within this limit the process
// stays under 128 MiB. It is soft: what is really needed is had.
const leanMemory = 80 << 20 // bytes

// keepLean sets the limit unless GOMEMLIMIT has.
func keepLean() {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(leanMemory)
	}
}
