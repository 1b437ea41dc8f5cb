package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestShort runs the short selection on the kernel of Debian 12.
func TestShort(t *testing.T) {
	if err := run(t.Context(), options{kernels: []string{"6.1"}, only: regexp.MustCompile(""), short: true}); err != nil {
		t.Fatal(err)
	}
}

// said gives a report what a machine of one step would.
func said(t *testing.T, lines ...string) *report {
	t.Helper()
	r := &report{kernel: "6.1", steps: []step{{pkg: "a/b"}}, out: io.Discard}
	for _, chunk := range []string{strings.Join(lines, "\n")[:5], strings.Join(lines, "\n")[5:] + "\n"} {
		if _, err := r.Write([]byte(chunk)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func TestReport(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  string // what the summary says
	}{
		{"passed", []string{"@vm begin 0", "--- PASS: TestX (0.00s)", "", "@vm end 0 0"}, ""},
		{"failed", []string{"@vm begin 0", "--- PASS: TestX (0.00s)", "--- FAIL: TestY (0.00s)", "@vm end 0 1"}, "a/b 1 failed"},
		{"subtest failed", []string{"@vm begin 0", "--- FAIL: TestY (0.00s)", "    --- FAIL: TestY/z (0.00s)", "@vm end 0 1"}, "a/b 2 failed"},
		{"skipped", []string{"@vm begin 0", "--- PASS: TestX (0.00s)", "--- SKIP: TestY (0.00s)", "    y_test.go:3: needs root", "@vm end 0 0"}, "a/b 1 skipped that must not"},
		{"nothing ran", []string{"@vm begin 0", "skipped: needs root", "PASS", "@vm end 0 0"}, "a/b no test ran"},
		{"crashed", []string{"@vm begin 0", "--- PASS: TestX (0.00s)", "@vm end 0 2"}, "a/b exit status 2"},
		{"never ended", []string{"@vm begin 0", "--- PASS: TestX (0.00s)"}, "a/b did not end"},
		{"never began", []string{"a kernel says something"}, "1 packages did not run"},
	} {
		got := ""
		if err := said(t, c.lines...).summary(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAllowances(t *testing.T) {
	for _, a := range allowances {
		if a.reason == "" || a.test.MatchString("") {
			t.Errorf("%v: for everything, or for no reason", a.test)
		}
	}
	if allowed("6.1", "isolate", "TestX") {
		t.Error("any test may skip")
	}
}

func TestLoadOrder(t *testing.T) {
	const dep = "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/lib/crc16.ko\n" +
		"kernel/fs/jbd2/jbd2.ko:\nkernel/lib/crc16.ko:\nkernel/drivers/a-b.ko.xz: kernel/lib/crc16.ko\n"
	got := fmt.Sprint(loadOrder(dep, []string{"ext4", "a_b", "built_in"}))
	if want := "[kernel/lib/crc16.ko kernel/fs/jbd2/jbd2.ko kernel/fs/ext4/ext4.ko kernel/drivers/a-b.ko.xz]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Another program unpacks what the archive was made of.
func TestArchive(t *testing.T) {
	dir := t.TempDir()
	odd := filepath.Join(dir, "odd")
	if err := os.WriteFile(odd, []byte("odd length"), 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	a := newArchive(&b)
	a.bytes("/x/y/one", 0o640, []byte("1"))
	a.copy("/x/two", odd)
	a.link("/x/three", "two")
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(busybox, "cpio", "-i", "-d")
	cmd.Dir, cmd.Stdin = dir, &b
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, want := range map[string]string{"x/y/one": "1", "x/two": "odd length", "x/three": "odd length"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != want || err != nil {
			t.Errorf("%s has %q %v, want %q", name, got, err, want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "x/two")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v, want the file's mode", info, err)
	}
}

// The stand-in for go build finds what was built by the same arguments, and
// names what was not.
func TestStandIn(t *testing.T) {
	dir := t.TempDir()
	p := program{pkg: "a", args: []string{"-ldflags=-s -w", "./testdata/x"}}
	script := strings.ReplaceAll(string(standIn), "/built/", dir+"/")
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, p.key(dir)), []byte("program"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"build", "-o", "out", "-ldflags=-s -w", "./testdata/x"},
		{"build", "-buildvcs=false", "-ldflags=-s -w", "-o", "out", "./testdata/x"},
	} {
		os.Remove(filepath.Join(dir, "a", "out"))
		if out, err := standInFor(dir, script, args); err != nil {
			t.Errorf("%v: %v: %s", args, err, out)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "a", "out")); string(got) != "program" {
			t.Errorf("%v: got %q %v", args, got, err)
		}
	}
	out, err := standInFor(dir, script, []string{"build", "-o", "out", "./testdata/y"})
	if err == nil || !strings.Contains(out, "./testdata/y") {
		t.Errorf("what was not built gives %v: %s", err, out)
	}
}

func standInFor(dir, script string, args []string) (string, error) {
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "go"}, args...)...)
	cmd.Dir = filepath.Join(dir, "a")
	cmd.Env = append(os.Environ(), "PWD="+cmd.Dir)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestPlanQuotesItsWords(t *testing.T) {
	const word = `it's $HOME "x" \`
	out, err := exec.Command("/bin/sh", "-c", "printf %s "+quote(word)).Output()
	if string(out) != word || err != nil {
		t.Errorf("got %q %v, want %q", out, err, word)
	}
}
