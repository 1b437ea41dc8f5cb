package js

import (
	"testing"

	lib "modernc.org/libquickjs"
)

// listed counts what the collector visits.
func listed() (n int) {
	list := &(*lib.TJSRuntime)(at(theRoot().runtime)).Fgc_obj_list
	for p := list.Fnext; link(p) != list; p = link(p).Fnext {
		n++
	}
	return n
}

func collect(e *Engine) { lib.XJS_RunGC(e.tls, theRoot().runtime) }

func TestPreludeIsNotCollected(t *testing.T) {
	for name, image := range map[string]bool{"evaluated": false, "mapped": true} {
		t.Run(name, func(t *testing.T) {
			f := writeImage(t)
			if !image {
				f = nil
			}
			b := open(t, f)
			if n := listed(); n != 0 {
				t.Errorf("the collector visits %d objects of the prelude", n)
			}
			if err := b.serve(program(`export const f = () => 1`)); err != nil {
				t.Fatal(err)
			}
			if n := listed(); n == 0 {
				t.Error("the collector does not visit what the program made")
			}
		})
	}
}

// A collection dirties the pages with what the guest has, and those few of the
// prelude that it refers to.
func TestCollectionsLeaveThePreludeClean(t *testing.T) {
	b := open(t, writeImage(t))
	if err := b.serve(program(`
		const kept = [];
		for (let i = 0; i < 2000; i++) kept.push({ i, f: () => i, m: new Map([[i, {}]]) });
		export const f = () => kept.length;`)); err != nil {
		t.Fatal(err)
	}
	b.must("f", "")
	b.cancel()
	b.ended()
	before := b.dirtied()
	for range 3 {
		collect(b.Engine)
	}
	if added := b.dirtied() - before; added > 16 {
		t.Errorf("collections dirtied %d pages of the prelude, after %d of its evaluation; the image has %d", added, before, b.base.header.pages)
	}
}

// dirtied counts the pages of the prelude that are not as the image has them.
func (e *Engine) dirtied() (n int) {
	for i := range e.base.header.pages {
		if e.base.differs(heapPage + i) {
			n++
		}
	}
	return n
}

// Guest objects that prelude objects refer to live as long as those refer to
// them, cycles or not, and no longer.
func TestCyclesThroughThePrelude(t *testing.T) {
	notUnderRace(t)
	b := open(t, writeImage(t))
	if err := b.serve(program(`
		const alive = (refs) => refs.filter((r) => r.deref() !== undefined).length;
		const hung = [], free = [];
		const hang = (on, key, i) => {
			const guest = { on, i, make: () => guest };
			guest.self = guest;
			hung.push(new WeakRef(guest));
			on[key] = guest;
		};
		const homes = [globalThis, Array.prototype, Object, console, setTimeout, Promise.prototype, JSON, crypto];
		export const start = () => {
			homes.forEach((on, i) => hang(on, "hung" + i, i));
			for (let i = 0; i < 100; i++) { const g = { proto: Array.prototype }; g.g = g; free.push(new WeakRef(g)); }
		};
		export const churn = () => { for (let i = 0; i < 1e5; i++) { const a = {}; a.a = a; } };
		export const look = () => [alive(hung), homes.map((on, i) => on["hung" + i]?.make().i ?? -1).join(""), alive(free)].join();
		export const drop = () => homes.forEach((on, i) => delete on["hung" + i]);
		export const remove = () => { for (const k of ["crypto", "JSON", "setTimeout", "console"]) delete globalThis[k]; };`)); err != nil {
		t.Fatal(err)
	}
	b.must("start", "")
	for range 5 {
		b.must("churn", "")
	}
	if got, want := b.must("look", ""), `"8,01234567,0"`; got != want {
		t.Errorf("after collections %s, want %s", got, want)
	}
	b.must("drop", "")
	b.must("remove", "")
	b.must("churn", "")
	if got, want := b.must("look", ""), `"0,-1-1-1-1-1-1-1-1,0"`; got != want {
		t.Errorf("after what held them went: %s, want %s", got, want)
	}
}

// Prelude objects take and lose properties, prototypes and accessors under
// collections, though their shapes are on no list.
func TestPreludeShapesChange(t *testing.T) {
	notUnderRace(t)
	b := mustStart(t, `
		const homes = [globalThis, Object.prototype, Array, Map.prototype, console, JSON, Math, Promise];
		export const f = () => {
			for (let round = 0; round < 20; round++) {
				for (const h of homes) {
					for (let i = 0; i < 50; i++) h["p" + i] = { h, i };
					for (let i = 0; i < 50; i += 2) delete h["p" + i];
					Object.defineProperty(h, "p0", { get() { return h; }, configurable: true });
					for (let i = 0; i < 50; i++) delete h["p" + i];
				}
				for (let i = 0; i < 2e4; i++) { const a = {}; a.a = a; }
			}
			Object.setPrototypeOf(Math, { up: Math });
			Object.setPrototypeOf(Math, Object.prototype);
			return homes.every((h) => Object.keys(h).every((k) => !/^p\d/.test(k))) && [1, 2].map((x) => x + 1).join();
		};`)
	for range 3 {
		if got := b.must("f", ""); got != `"2,3"` {
			t.Fatal(got)
		}
	}
}
