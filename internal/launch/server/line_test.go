package server

import (
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
)

const (
	segv = int(unix.SIGSEGV)
	ill  = int(unix.SIGILL)
)

var lines = []struct {
	text string
	want line
}{
	{"x[7199]: segfault at 8 ip 00005590693fb286 sp 00007ffdc23d5110 error 6 in f[1286,5590693fb000+1000] likely on CPU 1 (core 1, socket 0)",
		line{7199, "x", segv, mp.FaultNull, 8, 0x5590693fb286}},
	{"x[7200]: segfault at 123456789000 ip 000055f40c6252b7 sp 00007ffcbeadb320 error 6 in f[12b7,55f40c625000+1000]",
		line{7200, "x", segv, mp.FaultWild, 0x123456789000, 0x55f40c6252b7}},
	{"x[7202]: segfault at 7fa021474000 ip 00007fa021474000 sp 00007fff1b0e2248 error 15",
		line{7202, "x", segv, mp.FaultExec, 0x7fa021474000, 0x7fa021474000}},
	{"x[7203]: segfault at 7ffe7e62d30c ip 00005577958361d4 sp 00007ffe7e62d300 error 6 in f[11d4,557795836000+1000]",
		line{7203, "x", segv, mp.FaultGuard, 0x7ffe7e62d30c, 0x5577958361d4}},
	{"x[9]: segfault at 0 ip 0000000000000000 sp 00007ffe7e62d300 error 14",
		line{9, "x", segv, mp.FaultNull, 0, 0}},
	{"traps: x[7201] general protection fault ip:5633efebc2e8 sp:7ffecc89f0f0 error:0 in f[12e8,5633efebc000+1000]",
		line{7201, "x", segv, mp.FaultWild, 0, 0x5633efebc2e8}},
	{"traps: x[7201] general protection ip:5633efebc2e8 sp:7ffecc89f0f0 error:0 in f[5633efebc000+1000]",
		line{7201, "x", segv, mp.FaultWild, 0, 0x5633efebc2e8}},
	{"traps: x[7204] trap invalid opcode ip:55cb8c5ad3a5 sp:7ffd8f1d2030 error:0 in f[13a5,55cb8c5ad000+1000]",
		line{7204, "x", ill, mp.FaultIllegal, 0, 0x55cb8c5ad3a5}},
	{"d[2510]: unhandled exception: DABT (lower EL), ESR 0x92000046, level 2 translation fault in libnn.so[7fbd4f0000+6000]",
		line{2510, "d", segv, mp.FaultUnknown, 0, 0}},
	{"d[2510]: unhandled exception: IABT (lower EL), ESR 0x000000008200000f, level 3 permission fault in d[7fbd4f0000+6000]",
		line{2510, "d", segv, mp.FaultExec, 0, 0}},
	{"d[2510]: unhandled exception: undefined instruction in d[7fbd4f0000+6000]",
		line{2510, "d", ill, mp.FaultIllegal, 0, 0}},

	// Names that would pass for something else, and files that would.
	{"a]: x[1][7211]: segfault at 8 ip 0000000000000001 sp 00007ffc29bac940 error 6",
		line{7211, "a]: x[1]", segv, mp.FaultNull, 8, 1}},
	{"[1]: segfault a[7]: segfault at 8 ip 0000000000000001 sp 00007ffc29bac940 error 6 in [2]: segfault at 1 ip 1 sp 1 error 1[0,1+1]",
		line{7, "[1]: segfault a", segv, mp.FaultNull, 8, 1}},
	{`nl\x0ax\xff\x22\x5c[7213]: segfault at 8 ip 0000000000000001 sp 00007ffc29bac940 error 6`,
		line{7213, "nl\nx\uFFFD\"\\", segv, mp.FaultNull, 8, 1}},
	{`\x5b1]: segfault \x5c[7]: segfault at 8 ip 0000000000000001 sp 00007ffc29bac940 error 6`,
		line{7, `[1]: segfault \`, segv, mp.FaultNull, 8, 1}},
	{"[7]: segfault at 8 ip 0000000000000001 sp 00007ffc29bac940 error 6", // no name at all
		line{7, "", segv, mp.FaultNull, 8, 1}},
}

func TestLines(t *testing.T) {
	for _, test := range lines {
		if got, ok := parseLine(test.text); !ok || got != test.want {
			t.Errorf("%s\ngives %+v %v\nwant  %+v", test.text, got, ok, test.want)
		}
	}
	for _, other := range []string{
		"", "[", "x[", "x[]", "x[7]", "x[7]:", "x[-7]: segfault at 8 ip 1 sp 1 error 6", "x[0]: segfault at 8 ip 1 sp 1 error 6",
		"x[7]: segfault at 8 ip 1 sp 1", "x[7]: segfault at  ip 1 sp 1 error 6", "x[7]: segfault at 8 ip 1 sp 1 error 6x",
		"x[7]: segfault at 11112222333344445 ip 1 sp 1 error 6", "x[99999999999]: segfault at 8 ip 1 sp 1 error 6",
		"a name that is too long[7]: segfault at 8 ip 1 sp 1 error 6",
		"traps: x[7205] trap int3 ip:5604ff4343c9 sp:7ffc90f85cc0 error:0 in f[13c9,5604ff434000+1000]",
		"x[7204] trap invalid opcode ip:55cb8c5ad3a5 sp:7ffd8f1d2030 error:0",
		"d[1]: unhandled exception: BRK (AArch64), ESR 0xf2000001, ptrace BRK handler in undefined instruction[0+1]",
		`audit: type=1326 audit(1.1:2): pid=7 comm="x[7]: segfault at"`,
	} {
		if got, ok := parseLine(other); ok {
			t.Errorf("%s\ngives %+v", other, got)
		}
	}
}

// Whatever a program calls itself and its file, the kernel's words are found.
func FuzzLine(f *testing.F) {
	f.Add("sh", "busybox")
	f.Add("[1]: segfault a", "[2]: segfault at 1 ip 1 sp 1 error 1")
	f.Add("traps: x[1]", "x[1] trap invalid opcode ip:1 sp:1 error:0")
	f.Add("\\x5b1]\n", "\xff")
	f.Fuzz(func(t *testing.T, name, file string) {
		name = name[:min(len(name), maxName)]
		name, _, _ = strings.Cut(name, "\x00")
		for _, form := range []string{"%[7]: segfault at 8 ip 0000000000000001 sp 00007ffc29bac940 error 6 in ", "traps: %[7] trap invalid opcode ip:1 sp:2 error:0 in "} {
			text := strings.ReplaceAll(form, "%", escape(name)) + escape(file) + "[0,1+2]"
			got, ok := parseLine(text)
			if strings.HasPrefix(text, "traps: ") && !strings.HasPrefix(form, "traps: ") {
				continue // the kernel's own prefix: such a program hides its faults
			}
			if !ok || got.tid != 7 || got.ip != 1 || !utf8.ValidString(got.command) || utf8.ValidString(name) && got.command != name {
				t.Errorf("%s\ngives %+v %v", text, got, ok)
			}
		}
		if l, ok := parseLine(file); ok && (l.tid <= 0 || len(l.command) > 3*maxName) {
			t.Errorf("%q gives %+v", file, l)
		}
	})
}

// escape does what the kernel does (kernel/printk/printk.c, msg_add_ext_text).
func escape(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c < ' ' || c >= 127 || c == '\\' {
			b.WriteString(`\x`)
			b.WriteByte("0123456789abcdef"[c>>4])
			b.WriteByte("0123456789abcdef"[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestKernelText(t *testing.T) {
	for record, want := range map[string]string{
		"6,14386,12869096278,-;x[7]: y\n":                 "x[7]: y",
		"6,14386,12869096278,-,caller=T7;x; y\n SUB=z\n":  "x; y",
		"14,14386,12869096278,-;x[7]: segfault at 8 ip\n": "", // by a process that writes there
		"6": "", "x,1;y\n": "", "": "",
	} {
		if got, ok := kernelText([]byte(record)); got != want || ok != (want != "") {
			t.Errorf("%q gives %q %v, want %q", record, got, ok, want)
		}
	}
}
