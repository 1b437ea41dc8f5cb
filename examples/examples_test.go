// Package examples_test runs the examples the way that a worker does, but for
// the sandbox: packed, opened, and evaluated by the engine from the package.
package examples_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle"
	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/js"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, dir string) *bundle.Package {
	t.Helper()
	f, err := bundle.Pack(dir)
	must(t, err)
	p, err := bundle.Open(f)
	must(t, err)
	t.Cleanup(func() { p.Close() })
	return p
}

// built is the directory of an example as it is run: that of one with a build.sh
// is a copy, with the program that it makes, which is below root/ if it is native.
func built(t testing.TB, name string) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(name, "build.sh")); err != nil {
		return name
	}
	dir := t.TempDir()
	entries, err := os.ReadDir(name)
	must(t, err)
	for _, e := range entries {
		if e.Type().IsRegular() {
			b, err := os.ReadFile(filepath.Join(name, e.Name()))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, e.Name()), b, 0o644))
		}
	}
	to := dir
	if strings.HasPrefix(name, "native-") {
		to = filepath.Join(dir, "root")
	}
	out, err := exec.Command(filepath.Join(name, "build.sh"), to).CombinedOutput()
	if err != nil {
		t.Fatalf("cannot build %s: %v\n%s", name, err, out)
	}
	return dir
}

// Whatever is in this directory is a package without a warning, has its home
// page and its icon, and a README that a person can read at once.
func TestEveryExampleIsAPackage(t *testing.T) {
	entries, err := os.ReadDir(".")
	must(t, err)
	found := 0
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		found++
		p := open(t, built(t, e.Name()))
		for _, w := range p.Warnings {
			t.Errorf("%s: %v", e.Name(), w)
		}
		if want := mp.AppID("com.example." + e.Name()); p.Manifest.AppID != want {
			t.Errorf("%s: app_id %q, want %q", e.Name(), p.Manifest.AppID, want)
		}
		if _, err := p.Files.Stat("README.md"); err != nil {
			t.Error(err)
		}
	}
	if found < 5 {
		t.Errorf("only %d examples", found)
	}
}

// program is one example, loaded and served.
type program struct {
	engine  engine.Engine
	exports []string
	app     mp.AppID
	ended   chan error // Run's result
	mu      sync.Mutex
	log     []string
	stop    func()
}

func (p *program) Log(level, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, level+": "+text)
}

// Ask answers app, as the supervisor does.
func (p *program) Ask(_ context.Context, method string, _ []byte, done func([]byte, error)) {
	if method != "app" {
		done(nil, &mp.AskError{Code: mp.AskNotFound, Message: "no method " + method})
		return
	}
	done(json.Marshal(map[string]any{"id": p.app}))
}

func (p *program) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.log)
}

// preludeImage is made once: without one, each start would evaluate the prelude.
var preludeImage = sync.OnceValues(func() (*os.File, error) {
	f, err := os.CreateTemp("", "prelude-image")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	return f, js.WriteImage(f)
})

// start serves the example with its own heap limit, reading its files as a
// worker does: from a read-only descriptor of the package. Close it with stop.
func start(t testing.TB, pkg *bundle.Package, turn time.Duration) *program {
	t.Helper()
	f, err := pkg.Reopen()
	must(t, err)
	files, err := archive.Files(f, pkg.Size)
	must(t, err)
	p := &program{ended: make(chan error, 1), app: pkg.Manifest.AppID}
	image, err := preludeImage()
	must(t, err)
	e, err := js.New(p, image)
	must(t, err)
	p.engine = e
	ctx, cancel := context.WithCancel(context.Background())
	loaded, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		var err error
		p.exports, err = p.engine.Load(ctx, engine.Program{
			AppID: string(pkg.Manifest.AppID), Files: files, Entry: pkg.Manifest.Vendor.Entry,
			Start: time.Now(), Heap: pkg.Manifest.Vendor.Limits.Over(mp.DefaultLimits()).Memory,
			Turn: turn, Result: wire.MaxResult,
		})
		loaded <- err
		if err == nil {
			p.ended <- p.engine.Run(ctx)
		}
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		e.Close()
		f.Close()
	})
	t.Cleanup(p.stop)
	must(t, <-loaded)
	return p
}

// call gives a call as long as the program's turns.
func (p *program) call(turn time.Duration, name, input string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), turn)
	defer cancel()
	type answer struct {
		output []byte
		err    error
	}
	c := make(chan answer, 1)
	p.engine.Call(ctx, name, []byte(input), func(output []byte, err error) { c <- answer{output, err} })
	a := <-c
	return string(a.output), a.err
}

// callTest is a call and its result: the JSON as a whole, or a part of the
// message of what it throws.
type callTest struct {
	function, input string
	want            string
	throws          string
}

func runCalls(t *testing.T, dir string, tests []callTest) {
	const turn = time.Minute
	start(t, open(t, dir), turn).run(t, turn, tests)
}

func (p *program) run(t *testing.T, turn time.Duration, tests []callTest) {
	for _, tt := range tests {
		t.Run(tt.function+" "+tt.input, func(t *testing.T) {
			got, err := p.call(turn, tt.function, tt.input)
			var guest *mp.GuestError
			switch {
			case tt.throws == "" && (err != nil || got != tt.want):
				t.Errorf("got %s, %v\nwant %s", got, err, tt.want)
			case tt.throws != "" && (!errors.As(err, &guest) || !strings.Contains(guest.Message, tt.throws)):
				t.Errorf("got %s, %v\nwant an error with %q", got, err, tt.throws)
			}
		})
	}
}

func TestLoanCalculator(t *testing.T) {
	const object = "the input must be an object such as"
	runCalls(t, "loan-calculator", []callTest{
		{"payment", `{"principal": "250000", "rate": "4.2", "months": 360}`,
			`{"monthlyPayment":"1222.54","months":360,"totalPaid":"440116.55","totalInterest":"190116.55"}`, ""},
		{"monthlyPayment", `{"principal": 250000, "rate": 4.2, "months": "360"}`,
			`{"monthlyPayment":"1222.54","months":360,"totalPaid":"440116.55","totalInterest":"190116.55"}`, ""},
		{"schedule", `{"principal": 1000, "rate": 0, "months": 3}`,
			`{"monthlyPayment":"333.33","months":3,"totalPaid":"1000.00","totalInterest":"0.00","rows":[` +
				`{"month":1,"payment":"333.33","interest":"0.00","principal":"333.33","balance":"666.67"},` +
				`{"month":2,"payment":"333.33","interest":"0.00","principal":"333.33","balance":"333.34"},` +
				`{"month":3,"payment":"333.34","interest":"0.00","principal":"333.34","balance":"0.00"}]}`, ""},
		{"schedule", `{"principal": "0.02", "rate": 12, "months": 1}`,
			`{"monthlyPayment":"0.02","months":1,"totalPaid":"0.02","totalInterest":"0.00","rows":[` +
				`{"month":1,"payment":"0.02","interest":"0.00","principal":"0.02","balance":"0.00"}]}`, ""},
		{"payment", `{"principal": 2, "rate": 0, "months": 360}`, // ends early by rounding up
			`{"monthlyPayment":"0.01","months":200,"totalPaid":"2.00","totalInterest":"0.00"}`, ""},
		{"earlyRepayment", `{"principal": "250000", "rate": "4.2", "months": 360, "amount": "20000", "after": 60}`,
			`{"monthlyPayment":"1222.54","monthlyPaymentAfter":"1222.54","repaid":"20000.00","balance":"206841.34",` +
				`"months":317,"monthsSaved":43,"totalInterest":"157182.40","interestSaved":"32934.15"}`, ""},
		{"earlyRepayment", `{"principal": "250000", "rate": "4.2", "months": 360, "amount": "20000", "after": 60, "reduce": "payment"}`,
			`{"monthlyPayment":"1222.54","monthlyPaymentAfter":"1114.76","repaid":"20000.00","balance":"206841.34",` +
				`"months":360,"monthsSaved":0,"totalInterest":"177777.84","interestSaved":"12338.71"}`, ""},
		{"earlyRepayment", `{"principal": "250000", "rate": "4.2", "months": 360, "amount": "400000", "after": 60}`,
			`{"monthlyPayment":"1222.54","monthlyPaymentAfter":"0.00","repaid":"226841.34","balance":"0.00",` +
				`"months":60,"monthsSaved":300,"totalInterest":"50193.74","interestSaved":"139922.81"}`, ""},
		{"payment", ``, "", object},
		{"payment", `null`, "", object},
		{"payment", `[1]`, "", object},
		{"payment", `{`, "", "the input is not JSON"},
		{"payment", `{"rate": 1, "months": 1}`, "", "principal is missing"},
		{"payment", `{"principal": "1e9", "rate": 1, "months": 1}`, "", `"1e9" is not a decimal number`},
		{"payment", `{"principal": true, "rate": 1, "months": 1}`, "", "principal must be a string or a number"},
		{"payment", `{"principal": -1, "rate": 1, "months": 1}`, "", "principal must be more than zero"},
		{"payment", `{"principal": "1.005", "rate": 1, "months": 1}`, "", "fractions of a cent"},
		{"payment", `{"principal": "1000000000000.01", "rate": 1, "months": 1}`, "", "principal must be at most"},
		{"payment", `{"principal": 1, "rate": -1, "months": 1}`, "", "rate must be between"},
		{"payment", `{"principal": 1, "rate": "1.123456789", "months": 1}`, "", "8 decimal places"},
		{"payment", `{"principal": 1, "rate": 1, "months": 1.5}`, "", "months must be a whole number"},
		{"payment", `{"principal": 1, "rate": 1, "months": 1201}`, "", "months must be a whole number from 1 to 1200"},
		{"payment", `{"principal": 1, "rate": 1, "months": 360}`, "", "less than a cent"},
		{"payment", `{"principal": 1, "rate": 1, "month": 360}`, "", "month is not known"},
		{"earlyRepayment", `{"principal": 9, "rate": 1, "months": 5, "amount": 1, "after": 6}`, "", "after must be a whole number from 1 to 5"},
		{"earlyRepayment", `{"principal": 9, "rate": 1, "months": 5, "amount": 1, "after": 5, "reduce": "all"}`, "", "reduce must be"},
	})
}

func TestUnitConverter(t *testing.T) {
	runCalls(t, "unit-converter", []callTest{
		{"convert", `{"value": "26.2", "from": "mi", "to": "km"}`, `{"value":"42.1648128","unit":"km","exact":true}`, ""},
		{"convert", `{"value": 100, "from": "km/h", "to": "kn", "places": 3}`, `{"value":"53.996","unit":"kn","exact":false}`, ""},
		{"convert", `{"value": -40, "from": "F", "to": "C"}`, `{"value":"-40","unit":"C","exact":true}`, ""},
		{"convert", `{"value": "-459.67", "from": "F", "to": "K"}`, `{"value":"0","unit":"K","exact":true}`, ""},
		{"convert", `{"value": "1", "from": "GiB", "to": "GB"}`, `{"value":"1.073741824","unit":"GB","exact":true}`, ""},
		{"convert", `{"value": "128", "from": "floz", "to": "gal"}`, `{"value":"1","unit":"gal","exact":true}`, ""},
		{"convert", `{"value": "8", "from": "imppt", "to": "impgal"}`, `{"value":"1","unit":"impgal","exact":true}`, ""},
		{"convert", `{"value": "2000", "from": "lb", "to": "ton"}`, `{"value":"1","unit":"ton","exact":true}`, ""},
		{"convert", `{"value": "14", "from": "lb", "to": "st"}`, `{"value":"1","unit":"st","exact":true}`, ""},
		{"convert", `{"value": "1/3", "from": "m", "to": "mm", "places": 2}`, `{"value":"333.33","unit":"mm","exact":false}`, ""},
		{"convert", `{"value": "1.5", "from": "mm", "to": "mm", "places": 0}`, `{"value":"2","unit":"mm","exact":false}`, ""},
		{"convert", `{"value": "2.5", "from": "mm", "to": "mm", "places": 0}`, `{"value":"2","unit":"mm","exact":false}`, ""},
		{"convert", `{"value": "-0.001", "from": "mm", "to": "mm", "places": 2}`, `{"value":"0","unit":"mm","exact":false}`, ""},
		{"units", `{"kind": "speed"}`, `[{"symbol":"m/s","name":"metre per second","kind":"speed"},{"symbol":"km/h","name":"kilometre per hour","kind":"speed"},` +
			`{"symbol":"mph","name":"mile per hour","kind":"speed"},{"symbol":"kn","name":"knot","kind":"speed"},{"symbol":"ft/s","name":"foot per second","kind":"speed"}]`, ""},
		{"convert", ``, "", "the input must be an object"},
		{"convert", `{"value": "1", "from": "m", "to": "kg"}`, "", "m is a length and kg is a mass"},
		{"convert", `{"value": "1", "from": "cubit", "to": "m"}`, "", `there is no unit "cubit"`},
		{"convert", `{"value": "x", "from": "m", "to": "m"}`, "", `"x" is not a number`},
		{"convert", `{"value": "1/0", "from": "m", "to": "m"}`, "", "division by zero"},
		{"convert", `{"value": null, "from": "m", "to": "m"}`, "", "value must be a string or a number"},
		{"convert", `{"value": "-1", "from": "K", "to": "C"}`, "", "below absolute zero"},
		{"convert", `{"value": 1, "from": "m", "to": "m", "places": -1}`, "", "places must be a whole number"},
		{"units", `{"kind": "beauty"}`, "", "kind must be one of"},
	})
}

// Converting there and back gives the same number where both ways are exact.
func TestUnitConverterRoundTrip(t *testing.T) {
	const turn = time.Minute
	p := start(t, open(t, "unit-converter"), turn)
	convert := func(value, from, to string) (string, bool) {
		input, _ := json.Marshal(map[string]string{"value": value, "from": from, "to": to})
		output, err := p.call(turn, "convert", string(input))
		must(t, err)
		var r struct {
			Value string
			Exact bool
		}
		must(t, json.Unmarshal([]byte(output), &r))
		return r.Value, r.Exact
	}
	var units []struct{ Symbol, Kind string }
	output, err := p.call(turn, "units", "")
	must(t, err)
	must(t, json.Unmarshal([]byte(output), &units))
	exact := 0
	for _, a := range units {
		for _, b := range units {
			if a.Kind != b.Kind {
				continue
			}
			there, ok := convert("1200", a.Symbol, b.Symbol)
			if !ok {
				continue
			}
			exact++
			if back, _ := convert(there, b.Symbol, a.Symbol); back != "1200" {
				t.Errorf("1200 %s = %s %s = %s %s", a.Symbol, there, b.Symbol, back, a.Symbol)
			}
		}
	}
	if exact < 2*len(units) {
		t.Errorf("only %d exact conversions of %d units", exact, len(units))
	}
}
