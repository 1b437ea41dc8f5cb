package js

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// withArena runs a test on an empty arena with a limit in bytes.
func withArena(t testing.TB, limit uintptr) *heap {
	t.Helper()
	if err := newArena(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeArena)
	h := &theRoot().heap
	h.limit = uint32(limit / pageSize)
	return h
}

// check holds the allocator's invariants: the runs cover [0, brk) without a
// gap, counts and links agree, no two free runs are neighbours.
func (h *heap) check(t testing.TB) {
	t.Helper()
	var inUse, dirty, freeRuns uint32
	lastFree := false
	for i := uint32(0); i < h.brk; {
		p := pageAt(i)
		n := p.run
		switch p.kind {
		case free:
			if lastFree {
				t.Fatalf("free runs meet at page %d", i)
			}
			if end := pageAt(i + n - 1); end.kind != free || end.run != n {
				t.Fatalf("free run at page %d has no end", i)
			}
			freeRuns++
			if !p.clean {
				dirty += n
			}
		case large:
			inUse += n
		case small:
			if p.first != i {
				t.Fatalf("page %d is inside a small run that begins at %d", i, p.first)
			}
			n = classes[p.class].pages
			inUse += n
		default:
			t.Fatalf("page %d is in no run", i)
		}
		lastFree = p.kind == free
		i += n
	}
	if lastFree {
		t.Fatal("the last run below brk is free")
	}
	if inUse != h.inUse || dirty != h.dirty {
		t.Fatalf("inUse %d, dirty %d, counted %d and %d", h.inUse, h.dirty, inUse, dirty)
	}
	for b := range h.bins {
		for i, prev := h.bins[b], uint32(0); i != 0; i, prev = pageAt(i-1).next, i {
			p := pageAt(i - 1)
			if p.kind != free || binOf(p.run) != b || p.prev != prev {
				t.Fatalf("bin %d holds page %d: %+v", b, i-1, p)
			}
			freeRuns--
		}
	}
	if freeRuns != 0 {
		t.Fatalf("%d free runs are in no bin", freeRuns)
	}
	if h.inUse > h.limit || h.brk > h.ready || h.touched < h.brk {
		t.Fatalf("%d pages in use of %d, brk %d, ready %d, touched %d", h.inUse, h.limit, h.brk, h.ready, h.touched)
	}
}

// block is one allocation of the model.
type block struct {
	p    uintptr
	n    uintptr
	fill byte
}

func (b block) intact() bool {
	return bytes.Count(bytesAt(b.p, b.n), []byte{b.fill}) == int(b.n)
}

func fill(p, n uintptr, with byte) {
	b := bytesAt(p, n)
	for i := range b {
		b[i] = with
	}
}

// sizes has what QuickJS asks for: slabs, then anything.
func randomSize(r *rand.Rand) uintptr {
	switch r.IntN(4) {
	case 0:
		return 4000 + uintptr(r.IntN(97))
	case 1:
		return 1 + uintptr(r.IntN(20000))
	case 2:
		return 1 + uintptr(r.IntN(300000))
	}
	return 504 + uintptr(r.IntN(3000))
}

// TestHeapAgainstModel allocates, resizes and frees at random; every block must
// keep its content, none may overlap, and all invariants hold.
func TestHeapAgainstModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(strconv.Itoa(int(seed)), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			h := withArena(t, 16<<20)
			var blocks []block
			refused := 0
			for step := range 20000 {
				k := 0
				if len(blocks) > 0 {
					k = r.IntN(len(blocks))
				}
				switch op := r.IntN(10); {
				case op < 4 || len(blocks) == 0:
					n, with := randomSize(r), byte(step)
					if p := h.malloc(n); p != 0 {
						fill(p, n, with)
						blocks = append(blocks, block{p, n, with})
					} else {
						refused++
					}
				case op < 6:
					b := blocks[k]
					n := randomSize(r)
					q := h.realloc(b.p, n)
					if q == 0 {
						refused++
						break
					}
					if !(block{q, min(b.n, n), b.fill}).intact() {
						t.Fatalf("step %d: resizing %d to %d bytes changed them", step, b.n, n)
					}
					fill(q, n, b.fill)
					blocks[k] = block{q, n, b.fill}
				default:
					if !blocks[k].intact() {
						t.Fatalf("step %d: a block of %d bytes was overwritten", step, blocks[k].n)
					}
					h.free(blocks[k].p)
					blocks[k] = blocks[len(blocks)-1]
					blocks = blocks[:len(blocks)-1]
				}
				if step%500 == 0 {
					h.check(t)
				}
			}
			for _, b := range blocks {
				if !b.intact() {
					t.Fatal("a block was overwritten")
				}
				h.free(b.p)
			}
			h.check(t)
			if h.inUse > uint32(8*numClasses) {
				t.Errorf("%d pages are in use after everything was freed", h.inUse)
			}
			t.Logf("%d requests refused", refused)
		})
	}
}

func TestHeapLimitIsExact(t *testing.T) {
	h := withArena(t, 1<<20)
	n := 0
	for h.malloc(pageSize) != 0 {
		n++
	}
	if n != 256 || !h.refused {
		t.Errorf("%d pages were given, refused %v; the limit is 256", n, h.refused)
	}
}

func TestHeapGrowsInPlace(t *testing.T) {
	h := withArena(t, 512<<20)
	p := h.malloc(1 << 20)
	fill(p, 1<<20, 7)
	for n := uintptr(1 << 20); n < 400<<20; n = n * 3 / 2 {
		if q := h.realloc(p, n); q != p {
			t.Fatalf("it moved at %d bytes", n)
		}
	}
	if b := (block{p, 1 << 20, 7}); !b.intact() {
		t.Error("its content changed")
	}
}

// resident is how many KiB of the arena are in memory, by the kernel's account.
func resident(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	total, ours := 0, false
	for line := range strings.Lines(string(b)) {
		if start, rest, ok := strings.Cut(line, "-"); ok && len(strings.Fields(rest)) >= 4 {
			a, err := strconv.ParseUint(start, 16, 64)
			ours = err == nil && uintptr(a) >= arenaBase && uintptr(a) < arenaEnd
		}
		if f := strings.Fields(line); ours && len(f) == 3 && f[0] == "Rss:" {
			k, _ := strconv.Atoi(f[1])
			total += k
		}
	}
	return total
}

func TestHeapGivesMemoryBack(t *testing.T) {
	h := withArena(t, 64<<20)
	var ps []uintptr
	for range 60 {
		p := h.malloc(1 << 20)
		fill(p, 1<<20, 1)
		ps = append(ps, p)
	}
	if k := resident(t); k < 60<<10 {
		t.Fatalf("%d KiB are resident with 60 MiB in use: the test measures nothing", k)
	}
	for i := range ps {
		if i%2 == 0 {
			h.free(ps[i])
		}
	}
	if k := resident(t); k > 32<<10 {
		t.Errorf("%d KiB are resident with 30 MiB in use", k)
	}
	for i := range ps {
		if i%2 == 1 {
			h.free(ps[i])
		}
	}
	if k := resident(t); k > 3<<10 {
		t.Errorf("%d KiB are resident with nothing in use", k)
	}
}

func TestHeapFindsCorruption(t *testing.T) {
	h := withArena(t, 16<<20)
	small, large := h.malloc(600), h.malloc(100000)
	freed := h.malloc(600)
	h.free(freed)
	for name, p := range map[string]uintptr{
		"null": 0, "below": heapBase - 16, "above": addrOf(h.brk), "wild": 0x1234567890,
		"inside a small block": small + 16, "inside a large block": large + pageSize, "unaligned": large + 8, "freed twice": freed,
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if _, ok := recover().(corrupt); !ok {
					t.Error("free did not notice")
				}
			}()
			h.free(p)
		})
	}
	h.check(t)
}

func BenchmarkSlabs(b *testing.B) {
	h := withArena(b, 64<<20)
	var ps [64]uintptr
	for i := 0; b.Loop(); i = (i + 1) % len(ps) {
		if ps[i] != 0 {
			h.free(ps[i])
		}
		ps[i] = h.malloc(4040)
	}
}

// outsideMemory is what the process has in memory, beside the arena, in KiB.
func outsideMemory(t *testing.T) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(b))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages*pageSize>>10 - residentIfOpen(t)
}

func residentIfOpen(t *testing.T) int {
	if current.Load() == nil {
		return 0
	}
	return resident(t)
}
