package js

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
	lib "modernc.org/libquickjs"
)

// The arena's addresses. They are below Go's own heap, above every executable,
// and reachable with the 39-bit address spaces of small arm64 kernels.
//
//	arenaBase   root page: everything the engine must find again after mapping
//	metaBase    one descriptor a page of the heap, out of the guest's way
//	heapBase    the pages that QuickJS gets
//
// Nothing is accessible until it is needed: what lies above the pages in use
// faults, and is told apart from other faults as the guard.
const (
	pageSize  = 4096
	maxPages  = 1 << 20 // 4 GiB, the largest limit that a worker can have
	arenaBase = uintptr(0x10_0000_0000)
	metaBase  = arenaBase + pageSize
	metaSize  = maxPages * uintptr(unsafe.Sizeof(page{}))
	heapBase  = arenaBase + 64<<20
	arenaEnd  = heapBase + maxPages*pageSize + 1<<20
)

// growth is how many pages are made accessible at a time. The descriptors of
// so many pages fill whole pages themselves.
const growth = 256

const _ = uint(heapBase - metaBase - metaSize) // the descriptors fit

// root is the arena's first page. Values that live as long as the context, and
// that Go must find again in a mapped image, stand in it.
type root struct {
	runtime uintptr
	context uintptr
	entry   [numEntries]lib.TJSValue // functions of the prelude that Go calls
	date    uintptr                  // QuickJS's own code of Date
	heap    heap
	shared  uint32 // pages of the heap image in use, which the kernel has once for all workers
	program saved
}

// saved is what Go keeps of a program while it runs, written when its image is.
type saved struct {
	exports value // see Engine
	alarm   float64
	lastID  int32
}

const _ = uint(pageSize - unsafe.Sizeof(root{}))

// at turns an address in the arena, or one that QuickJS gave, into a pointer.
// None of them is memory that Go's collector knows.
func at(p uintptr) unsafe.Pointer { return unsafe.Add(nil, p) }

func theRoot() *root { return (*root)(at(arenaBase)) }

// reserve maps the whole arena without access. It takes address space only.
func reserve() error {
	_, err := unix.MmapPtr(-1, 0, at(arenaBase), arenaEnd-arenaBase, unix.PROT_NONE,
		unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE|unix.MAP_FIXED_NOREPLACE)
	if err != nil {
		return fmt.Errorf("cannot reserve the engine's memory at %#x: %w", arenaBase, err)
	}
	// A huge page would charge 2 MiB to a worker that touched 4 KiB of it. A
	// kernel without huge pages refuses, and is right to.
	_ = advise(arenaBase, arenaEnd-arenaBase, unix.MADV_NOHUGEPAGE)
	// The heap of a mini-program is not for a core file.
	_ = advise(arenaBase, arenaEnd-arenaBase, unix.MADV_DONTDUMP)
	return nil
}

// newArena reserves the arena and makes the root page usable, all zero.
func newArena() error {
	if err := reserve(); err != nil {
		return err
	}
	if err := allow(arenaBase, pageSize); err != nil {
		closeArena()
		return err
	}
	theRoot().heap.limit = maxPages
	return nil
}

// mapFile lays length bytes of a file over the arena, copy-on-write.
func mapFile(f *os.File, offset int64, addr, length uintptr) error {
	if length == 0 {
		return nil
	}
	_, err := unix.MmapPtr(int(f.Fd()), offset, at(addr), length,
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_FIXED)
	if err != nil {
		return fmt.Errorf("cannot map the heap image: %w", err)
	}
	return nil
}

func closeArena() {
	// Cannot fail: the range is page-aligned and ours.
	_ = unix.MunmapPtr(at(arenaBase), arenaEnd-arenaBase)
}

// allow makes a range of the arena readable and writable.
func allow(addr, length uintptr) error {
	_, _, e := unix.RawSyscall(unix.SYS_MPROTECT, addr, length, unix.PROT_READ|unix.PROT_WRITE)
	if e != 0 {
		return fmt.Errorf("cannot extend the engine's memory: %w", e)
	}
	return nil
}

func advise(addr, length uintptr, advice int) error {
	_, _, e := unix.RawSyscall(unix.SYS_MADVISE, addr, length, uintptr(advice))
	if e != 0 {
		return e
	}
	return nil
}

// bytesAt is the memory [p, p+n), for as long as it stays allocated.
func bytesAt(p, n uintptr) []byte { return unsafe.Slice((*byte)(at(p)), n) }
