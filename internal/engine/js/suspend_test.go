package js

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
)

// memory is a file as the supervisor gives it to a worker.
func memory(t testing.TB) *os.File {
	t.Helper()
	fd, err := unix.MemfdCreate("image", unix.MFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "image")
	t.Cleanup(func() { f.Close() })
	return f
}

// suspendTo suspends b and returns Suspend's error.
func (b *bench) suspendTo(kind ImageKind, f *os.File) error {
	done := make(chan error, 1)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	b.Suspend(ctx, kind, f, func(err error) { done <- err })
	return <-done
}

// end ends b's run and closes it, so that another engine can be opened.
func (b *bench) end() {
	b.cancel()
	<-b.run
	b.Engine.Close()
	b.Engine = nil
}

// life runs p in an engine of its own over prelude, has f use it, and returns the
// image that it was suspended to.
func life(t testing.TB, prelude *os.File, p engine.Program, kind ImageKind, f func(b *bench)) *os.File {
	t.Helper()
	b := begin(t, prelude, p)
	defer b.end()
	f(b)
	image := memory(t)
	if err := b.suspendTo(kind, image); err != nil {
		t.Fatalf("cannot suspend: %v", err)
	}
	return image
}

// begin opens an engine over prelude and loads p, which must work.
func begin(t testing.TB, prelude *os.File, p engine.Program) *bench {
	t.Helper()
	b := &bench{t: t, logs: &logs{}, run: make(chan error, 1)}
	e, err := New(b.logs, prelude)
	if err != nil {
		t.Fatal(err)
	}
	b.Engine = e
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	loaded := make(chan error, 1)
	go func() {
		var err error
		b.exports, err = b.Load(ctx, p)
		loaded <- err
		if err != nil {
			b.run <- err
			return
		}
		b.run <- b.Run(ctx)
	}()
	if err := <-loaded; err != nil {
		b.end()
		t.Fatalf("cannot load: %v", err)
	}
	return b
}

// from is p as it is loaded from image, some time later and with a new seed.
func from(image *os.File, p engine.Program, step int) engine.Program {
	p.Image = image
	p.Start = p.Start.Add(time.Duration(step) * time.Minute)
	p.Seed = [32]byte{byte(step), byte(step >> 8), 7}
	return p
}

func wantRestored(t testing.TB, b *bench) {
	t.Helper()
	if got := b.Loaded(); got != "restored" {
		t.Fatalf("the program was %s", got)
	}
}

// tortureRounds is how often the same state is suspended and restored.
const tortureRounds = 1000

func TestStateSurvives(t *testing.T) {
	notUnderRace(t)
	source, err := os.ReadFile("testdata/state.js")
	if err != nil {
		t.Fatal(err)
	}
	prelude, p := writeImage(t), program(string(source))
	p.Heap = 64 << 20
	step := func(n int) func(b *bench) {
		return func(b *bench) {
			if n > 0 {
				wantRestored(t, b)
			}
			if got := b.must("check", fmt.Sprint(n)); got != "[]" {
				t.Fatalf("after %d restores: %s", n, got)
			}
			if n%50 == 1 {
				b.must("churn", "")
				if got := b.must("churn", ""); got != "[0,true]" {
					t.Fatalf("after %d restores and a collection: %s", n, got)
				}
			}
		}
	}
	image, sizes := life(t, prelude, p, InstanceImage, step(0)), []int64{}
	for n := 1; n <= tortureRounds; n++ {
		next := life(t, prelude, from(image, p, n), InstanceImage, step(n))
		image.Close()
		image = next
		st, err := image.Stat()
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, st.Size())
	}
	if first, last := sizes[100], sizes[len(sizes)-1]; last > 2*first {
		t.Errorf("the image grew from %d to %d bytes", first, last)
	}
	b := begin(t, prelude, from(image, p, tortureRounds+1))
	defer b.end()
	want := `{"settled":"resolved","race":"resolved","aborted":true,"ticks":true,"closed":true,"done":true}`
	if got := b.must("end", ""); got != want {
		t.Errorf("at the end:\n%s, want\n%s", got, want)
	}
	if s := b.logs.String(); s != "" {
		t.Errorf("logged: %s", s)
	}
}
