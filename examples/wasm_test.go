package examples_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/engine"
	"github.com/mpsupervisor/mpsupervisor/internal/engine/wasm"
	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// startWasm builds a WebAssembly example and serves it as a worker does.
func startWasm(t *testing.T, name string) *program {
	pkg := open(t, built(t, name))
	f, err := pkg.Reopen()
	must(t, err)
	t.Cleanup(func() { f.Close() })
	files, err := archive.Files(f, pkg.Size)
	must(t, err)
	p := &program{ended: make(chan error, 1), app: pkg.Manifest.AppID}
	e := wasm.New(p)
	p.engine = e
	prog := engine.Program{
		AppID: string(pkg.Manifest.AppID), Files: files, Entry: pkg.Manifest.Vendor.Entry, Start: time.Now(),
		Heap: pkg.Manifest.Vendor.Limits.Over(mp.DefaultLimits()).Memory, Turn: time.Minute, Result: wire.MaxResult, IPCRate: 1000,
	}
	ctx, cancel := context.WithCancel(context.Background())
	must(t, e.Prepare(ctx, prog, wasm.Own{TmpBytes: 1 << 20, TmpFiles: 64}))
	_, err = e.Load(ctx, prog)
	must(t, err)
	go func() { p.ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-p.ended
		e.Close()
	})
	return p
}

func TestWasmGo(t *testing.T) {
	p := startWasm(t, "wasm-go")
	p.run(t, time.Minute, []callTest{
		{"check", `{"iban": "de75 5121 0800 1245 1261 99"}`, `{"valid":true,"country":"DE","formatted":"DE75 5121 0800 1245 1261 99"}`, ""},
		{"check", `{"iban": "DE76512108001245126199"}`, `{"valid":false,"reason":"the check digits do not fit"}`, ""},
		{"check", `{"iban": "GB82 WEST 1234 5698 7654 32"}`, `{"valid":true,"country":"GB","formatted":"GB82 WEST 1234 5698 7654 32"}`, ""},
		{"check", `{"iban": "GB82WEST1234569876543"}`, `{"valid":false,"reason":"an IBAN of GB has 22 characters, not 21"}`, ""},
		{"check", `{"iban": "MT84MALT011000012345MTLCAST001S"}`, `{"valid":true,"country":"MT","formatted":"MT84 MALT 0110 0001 2345 MTLC AST0 01S"}`, ""},
		{"check", `{"iban": "DE7551210800124512619!"}`, `{"valid":false,"reason":"'!' is neither a letter nor a digit"}`, ""},
		{"check", ``, `{"valid":false,"reason":"an IBAN has 15 to 34 characters, not 0"}`, ""},
		{"check", `{"iban": 7}`, "", "the input does not fit"},
		{"about", ``, `{"id":"com.example.wasm-go"}`, ""},
	})
	p.wantNotFound(t)
	p.waitLog(t, "info: the host knows this program as com.example.wasm-go")
}

func TestWasmC(t *testing.T) {
	const digits = "the input must be a string of 12 or 13 digits"
	p := startWasm(t, "wasm-c")
	p.run(t, time.Minute, []callTest{
		{"complete", `"400638133393"`, `"4006381333931"`, ""},
		{"complete", ` "4006381333931" `, `"4006381333931"`, ""},
		{"complete", `"4006381333930"`, "", "the check digit does not fit"},
		{"complete", `"40063813339"`, "", "an article number has 12 digits"},
		{"complete", `"40063813339310"`, "", digits},
		{"complete", `"4006381x3393"`, "", digits},
		{"complete", `400638133393`, "", digits},
		{"complete", ``, "", digits},
		{"svg", `"400638133393x"`, "", digits},
	})
	p.wantNotFound(t)
	picture, err := p.call(time.Minute, "svg", `"4006381333931"`)
	must(t, err)
	// The modules of this number, as its standard draws them.
	const modules = "101" + "0001101" + "0100111" + "0101111" + "0111101" + "0001001" + "0110011" + "01010" +
		"1000010" + "1000010" + "1000010" + "1110100" + "1000010" + "1100110" + "101"
	for i, m := range modules {
		if black := strings.Contains(picture, fmt.Sprintf("<rect x='%d' y='4' width='1'", 10+i)); black != (m == '1') {
			t.Errorf("module %d: black %v", i, black)
		}
	}
	p.waitLog(t, "info: 4006381333931")
}
