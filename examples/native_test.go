package examples_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/native"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// startNative builds a native example, and runs it as a child of the test.
func startNative(t *testing.T, name string) *program {
	dir := built(t, name)
	pkg := open(t, dir)
	p := &program{ended: make(chan error, 1), app: pkg.Manifest.AppID}
	e := native.New(p)
	p.engine = e
	ctx, cancel := context.WithCancel(context.Background())
	_, err := e.Load(ctx, engine.Program{
		AppID: string(pkg.Manifest.AppID), Result: wire.MaxResult, IPCRate: 1000,
		Exec: &engine.Exec{Args: []string{filepath.Join(dir, pkg.Manifest.Vendor.Entry)}},
	})
	must(t, err)
	go func() { p.ended <- e.Run(ctx) }()
	t.Cleanup(func() { cancel(); e.Close() })
	return p
}

// waitLog waits for a line of the log.
func (p *program) waitLog(t *testing.T, line string) {
	t.Helper()
	for range 3000 {
		for _, l := range p.lines() {
			if l == line {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%q is not among %q", line, p.lines())
}

func (p *program) wantNotFound(t *testing.T) {
	t.Helper()
	if _, err := p.call(time.Minute, "nosuch", ""); !errors.Is(err, mp.ErrNotFound) {
		t.Errorf("a function that is not there: %v", err)
	}
}

func TestNativeGo(t *testing.T) {
	const object = "the input must be an object such as"
	const whole = "number must be a whole number from 1 to 18446744073709551615"
	p := startNative(t, "native-go")
	p.run(t, time.Minute, []callTest{
		{"factors", `{"number": 1}`, `{"factors":[],"prime":false}`, ""},
		{"factors", `{"number": 2}`, `{"factors":["2"],"prime":true}`, ""},
		{"factors", `{"number": "360"}`, `{"factors":["2","2","2","3","3","5"],"prime":false}`, ""},
		{"factors", `{"number": 289}`, `{"factors":["17","17"],"prime":false}`, ""},
		{"factors", `{"number": "18446744073709551557"}`, `{"factors":["18446744073709551557"],"prime":true}`, ""},
		{"factors", `{"number": "18446744073709551615"}`, `{"factors":["3","5","17","257","641","65537","6700417"],"prime":false}`, ""},
		{"factors", `{"number": 0}`, "", whole},
		{"factors", `{"number": "18446744073709551616"}`, "", whole},
		{"factors", `{"number": 1.5}`, "", whole},
		{"factors", `{"number": "x"}`, "", object},
		{"factors", `{"number": [1]}`, "", object},
		{"factors", `7`, "", object},
		{"factors", ``, "", object},
	})
	p.wantNotFound(t)
	p.waitLog(t, "info: ready as com.example.native-go")
}

// The product of the factors is the number, and each of them is prime.
func TestNativeGoFactors(t *testing.T) {
	p := startNative(t, "native-go")
	for _, n := range []uint64{4294967291 * 4294967279, 3037000493 * 3037000493, 1<<63 - 1, 1 << 63, 6469693230, 1000003 * 1000033 * 1000037} {
		output, err := p.call(time.Minute, "factors", fmt.Sprintf(`{"number":"%d"}`, n))
		must(t, err)
		var r struct{ Factors []string }
		must(t, json.Unmarshal([]byte(output), &r))
		product := big.NewInt(1)
		for _, f := range r.Factors {
			prime, _ := new(big.Int).SetString(f, 10)
			if !prime.ProbablyPrime(20) {
				t.Errorf("%d: %s is not prime", n, f)
			}
			product.Mul(product, prime)
		}
		if !product.IsUint64() || product.Uint64() != n {
			t.Errorf("%d: the product of %v is %v", n, r.Factors, product)
		}
	}
}

func TestNativeC(t *testing.T) {
	const object = "the input must be an object such as"
	p := startNative(t, "native-c")
	p.run(t, time.Minute, []callTest{
		{"crc32", `{"text": "123456789"}`, `{"crc32":"cbf43926","bytes":9}`, ""},
		{"crc32", `{"text": ""}`, `{"crc32":"00000000","bytes":0}`, ""},
		{"crc32", `{ "a" : [ {"text":"no"}, -1.5e+3, true, null, "\"" ] , "text" : "a" }`, `{"crc32":"e8b7be43","bytes":1}`, ""},
		{"crc32", `{"te\u0078t": "a"}`, `{"crc32":"e8b7be43","bytes":1}`, ""},
		{"crc32", `{"text": 5}`, "", "text must be a string"},
		{"crc32", `{"texts": "a"}`, "", object},
		{"crc32", `["a"]`, "", object},
		{"crc32", `"a"`, "", object},
		{"crc32", ``, "", object},
	})
	p.wantNotFound(t)
	p.waitLog(t, "info: ready as com.example.native-c")
}

// Strings arrive as what they mean, however they are written.
func TestNativeCStrings(t *testing.T) {
	p := startNative(t, "native-c")
	for _, s := range []string{
		`"é€😀"`, `"\u00e9\u20AC\ud83d\uDE00"`, `"\"\\\/\b\f\n\r\t"`, `"\u0000x\u001f"`,
		`"\ud83d"`, `"\ud83dx"`, `"\ude00\ud83d"`, `"\ud83d\u0041"`, `"\ud83d\ud83d\ude00"`,
		`"` + strings.Repeat(`\u20ac`, 100_000) + `"`,
	} {
		var text string
		must(t, json.Unmarshal([]byte(s), &text))
		want := fmt.Sprintf(`{"crc32":"%08x","bytes":%d}`, crc32.ChecksumIEEE([]byte(text)), len(text))
		if got, err := p.call(time.Minute, "crc32", `{"text":`+s+`}`); got != want {
			t.Errorf("%.40s: %s, %v, want %s", s, got, err, want)
		}
	}
}
