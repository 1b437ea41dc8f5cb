package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing/fstest"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/test/daemon"
)

// images measures what a start costs once a worker is there: in engines of this
// process, so that neither a process's start nor the channel is in it. Times are
// from a blank engine, the prelude's image mapped, to the first result.
func images(ctx context.Context, d *daemon.Daemon, rounds int) ([]Row, error) {
	p, err := newPrelude()
	if err != nil {
		return nil, err
	}
	defer p.file.Close()
	rows, err := p.starts(ctx, rounds)
	if err != nil {
		return nil, err
	}
	more, err := p.hibernation(ctx, rounds)
	if err != nil {
		return nil, err
	}
	idle, err := privateMemory(ctx, d, 5)
	return append(append(rows, more...), idle), err
}

// starts compares programs of three sizes, evaluated and restored.
func (p prelude) starts(ctx context.Context, rounds int) ([]Row, error) {
	small, err := p.ready(ctx, bundle(5<<10))
	if err != nil {
		return nil, err
	}
	large, err := p.ready(ctx, bundle(1<<20))
	if err != nil {
		return nil, err
	}
	m, err := race(ctx, rounds, p.start("one function", program(bundle(0))),
		p.start("small", program(bundle(5<<10))), p.start("small, ready", small), p.start("large", large))
	if err != nil {
		return nil, err
	}
	evaluated, err := race(ctx, 3, p.start("large", program(bundle(1<<20))))
	if err != nil {
		return nil, err
	}
	row := Row{Metric: "ready image of a 1 MB bundle", N: rounds, Unit: "ms", Ours: m["large"].stats()}
	return []Row{
		Row{Metric: "prelude mapped, to the first result", N: rounds, Unit: "ms", Ours: m["one function"].stats()}.within(0.3),
		row.against("evaluating it", evaluated["large"].stats(), 0.1),
		row.against("evaluating 5 KB", m["small"].stats(), 1.5),
		{Metric: "ready image of 5 KB", N: rounds, Unit: "ms", Ours: m["small, ready"].stats()},
	}, nil
}

// hibernation suspends a program with more than 1 MiB of live state, and resumes
// it.
func (p prelude) hibernation(ctx context.Context, rounds int) ([]Row, error) {
	image := func(ctx context.Context) (*os.File, time.Duration, error) {
		return p.suspend(ctx, js.InstanceImage, program(hoard))
	}
	m, err := race(ctx, rounds,
		arm{"suspend", func(ctx context.Context) (float64, time.Duration, error) {
			f, took, err := image(ctx)
			if err == nil {
				f.Close()
			}
			return millis(took), 0, err
		}},
		arm{"resume", func(ctx context.Context) (float64, time.Duration, error) {
			f, _, err := image(ctx)
			if err != nil {
				return 0, 0, err
			}
			defer f.Close()
			next := program(hoard)
			next.Image = f
			return p.start("resume", next).once(ctx)
		}})
	if err != nil {
		return nil, err
	}
	return []Row{
		Row{Metric: "suspend 1 MiB of live state", N: rounds, Unit: "ms", Ours: m["suspend"].stats()}.within(8),
		Row{Metric: "resume it, to the first result", N: rounds, Unit: "ms", Ours: m["resume"].stats()}.within(3),
	}, nil
}

// hoard is a program with 1 MiB and more of live objects.
const hoard = `const kept = [];
for (let i = 0; i < 3000; i++) kept.push({ i, name: "item " + i, tags: [i, i + 1], f: () => i });
export const f = () => kept.length;`

// bundle is a program of about size bytes: modules as a bundler leaves them.
func bundle(size int) string {
	var s strings.Builder
	s.WriteString("const modules = {}, define = (name, make) => { const exports = {}; make(exports, modules); modules[name] = exports; };\n")
	for i := 0; s.Len() < size; i++ {
		fmt.Fprintf(&s, `define("m%d", (exports, modules) => {
  class Item%[1]d { #price; constructor(name, price) { this.name = name; this.#price = price; } get total() { return this.#price * 1.19; } label(prefix = "item") { return prefix + ":" + this.name + "/" + this.total.toFixed(2); } }
  const table = { alpha: [1, 2, 3, "x%[1]d"], beta: { deep: { deeper: "text of entry %[1]d" } }, pattern: /^(\w+)-(\d+)$/u };
  function visit(node, depth = 0) { if (!node || depth > 9) return []; const out = []; for (const [key, value] of Object.entries(node)) out.push(key, ...(typeof value === "object" ? visit(value, depth + 1) : [value])); return out; }
  exports.Item = Item%[1]d; exports.table = table; exports.visit = visit; exports.first = new Item%[1]d("n%[1]d", %[1]d);
});
`, i)
	}
	s.WriteString("export const f = () => modules.m0?.first.label();\n")
	return s.String()
}

func program(source string) engine.Program {
	return engine.Program{
		AppID: "com.example.bench", Files: fs.FS(fstest.MapFS{"app.js": {Data: []byte(source)}}), Entry: "app.js",
		Start: time.Now(), Heap: 64 << 20, Turn: time.Minute, Result: 1 << 20,
	}
}

// privateMemory is what idle workers have that no other process shares.
func privateMemory(ctx context.Context, d *daemon.Daemon, programs int) (row Row, err error) {
	hello, err := helloProgram()
	if err != nil {
		return row, err
	}
	defer os.RemoveAll(hello)
	digest, err := d.Put(ctx, hello)
	if err != nil {
		return row, err
	}
	ids, err := startMany(ctx, d, digest, programs)
	defer endMany(ctx, d, ids)
	if err != nil {
		return row, err
	}
	time.Sleep(time.Second) // they come to rest
	var samples []float64
	for _, id := range ids {
		res, err := d.Client.Inspect(ctx, &controlpb.InspectRequest{Id: id})
		if err != nil {
			return row, err
		}
		mib, err := anonymous(int(res.GetProgram().GetPid()))
		if err != nil {
			return row, err
		}
		samples = append(samples, mib)
	}
	row = Row{Metric: "private memory of an idle worker", N: programs, Unit: "MiB", Ours: summarize(samples, 0)}
	return row.within(2), nil
}

// anonymous reads a process's own memory (proc(5), smaps_rollup), in MiB.
func anonymous(pid int) (float64, error) {
	b, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "smaps_rollup"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Anonymous:"); ok {
			var kib float64
			_, err := fmt.Sscan(rest, &kib)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup of process %d has no Anonymous", pid)
}
