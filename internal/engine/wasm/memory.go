package wasm

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
	"golang.org/x/sys/unix"
)

// budget is what the guest may take of memory, for its linear memory and its
// files together. The limit may be changed from any goroutine.
type budget struct {
	limit atomic.Int64
	used  atomic.Int64
}

// Take uses up n bytes, if there are so many.
func (b *budget) Take(n int64) bool {
	if b.used.Add(n) > b.limit.Load() {
		b.used.Add(-n)
		return false
	}
	return true
}

// Give gives n bytes back.
func (b *budget) Give(n int64) { b.used.Add(-n) }

// memories makes the linear memory of a module.
type memories struct {
	*budget
	refused uint64 // the bytes that were asked for when there were not so many
}

var _ experimental.MemoryAllocator = (*memories)(nil)

// Allocate reserves addresses for as much as the memory may ever have, at most
// 4 GiB, so that it can grow where it is. They cost nothing until they are used.
func (m *memories) Allocate(_, most uint64) experimental.LinearMemory {
	l := &linear{owner: m}
	if most > 0 {
		// On an error there is no room for any byte, and Reallocate says so.
		l.reserved, _ = unix.Mmap(-1, 0, int(most), unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	}
	return l
}

// linear is one linear memory.
type linear struct {
	owner    *memories
	reserved []byte
	size     uint64
}

// Reallocate makes it larger. Nil is that it cannot be: memory.grow gives -1.
func (l *linear) Reallocate(size uint64) []byte {
	if size > l.size && !l.grow(size) {
		l.owner.refused = size
		return nil
	}
	return l.reserved[:size:size]
}

func (l *linear) grow(size uint64) bool {
	more := int64(size - l.size)
	if size > uint64(len(l.reserved)) || !l.owner.Take(more) {
		return false
	}
	if unix.Mprotect(l.reserved[l.size:size], unix.PROT_READ|unix.PROT_WRITE) != nil {
		l.owner.Give(more)
		return false
	}
	l.size = size
	return true
}

// Free gives it back.
func (l *linear) Free() {
	l.owner.Give(int64(l.size))
	if l.reserved != nil {
		unix.Munmap(l.reserved)
	}
	l.reserved, l.size = nil, 0
}
