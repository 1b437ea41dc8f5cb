package worker_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkSeal measures from exec to Sealed, namespaces made by clone
// included, handshake included; and what an idle program has in memory.
func BenchmarkSeal(b *testing.B) {
	memory := map[string]float64{}
	for b.Loop() {
		h := begin(b, variation{})
		h.sealed <- h.waitSealed()
		b.StopTimer()
		if _, err := h.boot(`console.log("hello"); export const f = (x) => x;`); err != nil {
			b.Fatal(err)
		}
		h.call("f", "1")
		time.Sleep(20 * time.Millisecond)
		for name, kib := range rollup(b, h.cmd.Process.Pid) {
			memory[name] += kib
		}
		h.cmd.Process.Kill()
		h.wait()
		b.StartTimer()
	}
	for _, name := range []string{"Rss", "Pss", "Anonymous"} {
		b.ReportMetric(memory[name]/float64(b.N), name+"-KiB")
	}
}

// BenchmarkNative measures from exec to the program's first line, and what the
// idle process 1 has in memory.
func BenchmarkNative(b *testing.B) {
	memory := map[string]float64{}
	for b.Loop() {
		h := shell(b, "echo hello; read -r x <&3")
		h.waitLog("info hello")
		b.StopTimer()
		time.Sleep(20 * time.Millisecond)
		for name, kib := range rollup(b, h.cmd.Process.Pid) {
			memory[name] += kib
		}
		h.cmd.Process.Kill()
		h.wait()
		b.StartTimer()
	}
	for _, name := range []string{"Rss", "Pss", "Anonymous"} {
		b.ReportMetric(memory[name]/float64(b.N), name+"-KiB")
	}
}

// rollup reads /proc/PID/smaps_rollup (proc(5)).
func rollup(t testing.TB, pid int) map[string]float64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := map[string]float64{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if w := strings.Fields(s.Text()); len(w) == 3 && w[2] == "kB" {
			m[strings.TrimSuffix(w[0], ":")], _ = strconv.ParseFloat(w[1], 64)
		}
	}
	return m
}

func BenchmarkCall(b *testing.B) {
	h := start(b, `export const f = (x) => x;`)
	for b.Loop() {
		if _, err := h.call("f", `{"a":1}`); err != nil {
			b.Fatal(err)
		}
	}
}
