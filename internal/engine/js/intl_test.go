package js

import "testing"

const intlApp = `
	const d = Object.getOwnPropertyDescriptor(globalThis, "Intl"); // before anything uses it
	export const f = () => [
		"value" in d, d.enumerable,
		new Intl.NumberFormat("de", { style: "currency", currency: "EUR" }).format(1234.5).length,
		new Date(0).toLocaleDateString("ja", { timeZone: "Asia/Tokyo", dateStyle: "long" }),
	];`

// TestIntlIsInTheImage holds that Intl costs a program over an image nothing: a
// heap that is smaller than Intl is enough to use it.
func TestIntlIsInTheImage(t *testing.T) {
	b := open(t, writeImage(t))
	p := program(intlApp)
	p.Heap = 4 << 20
	if int64(theRoot().shared)*pageSize < p.Heap {
		t.Errorf("the image has %d pages: this test needs more", theRoot().shared)
	}
	if err := b.serve(p); err != nil {
		t.Fatal(err)
	}
	if got, want := b.must("f", ""), `[true,false,10,"1970年1月1日"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := b.must("f", ""); got != `[true,false,10,"1970年1月1日"]` {
		t.Errorf("the second time it is %s", got)
	}
}

// evaluated serves app in an engine without an image.
func evaluated(t *testing.T, app string) *bench {
	t.Helper()
	b := open(t, nil)
	if err := b.serve(program(app)); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestIntlWithoutAnImage(t *testing.T) {
	notUnderRace(t)
	b := evaluated(t, intlApp)
	before := theRoot().heap.inUse
	if got, want := b.must("f", ""), `[false,false,10,"1970年1月1日"]`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if grown := int64(theRoot().heap.inUse-before) * pageSize; grown < 1<<20 {
		t.Errorf("Intl took %d bytes: was it there before?", grown)
	}
}

// TestIntlOfTheGuest holds that loading Intl leaves alone what the guest put in
// its place.
func TestIntlOfTheGuest(t *testing.T) {
	notUnderRace(t)
	b := evaluated(t, `export const f = () => { globalThis.Intl = { mine: 1 }; return [(1.5).toLocaleString("de"), Intl.mine]; }`)
	if got := b.must("f", ""); got != `["1,5",1]` {
		t.Errorf("got %s", got)
	}
}

// TestImageIsNotCharged holds that a heap limit is for what the guest adds.
func TestImageIsNotCharged(t *testing.T) {
	b := open(t, writeImage(t))
	p := program(hoarder)
	p.Heap = 4 << 20
	if err := b.serve(p); err != nil {
		t.Fatal(err)
	}
	b.must("grow", "3")
	b.SetHeap(12 << 20)
	b.must("grow", "8")
	if out, err := b.do(t.Context(), "grow", "2"); err == nil {
		t.Errorf("it has %s MiB within a limit of 12", out)
	}
}
