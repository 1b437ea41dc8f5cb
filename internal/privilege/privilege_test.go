package privilege

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// buildVictim builds the program under test without cgo, as the real ones are,
// in a directory that every user can reach, with a set-user-id copy beside it.
func buildVictim(t *testing.T) (dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: giving it up is what is tested")
	}
	dir, err := os.MkdirTemp("/tmp", "privilege")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	build := exec.Command("go", "build", "-o", dir+"/victim", "./testdata/victim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	program, err := os.ReadFile(dir + "/victim")
	check(t, err)
	check(t, os.WriteFile(dir+"/setuid", program, 0o755))
	check(t, os.Chmod(dir+"/setuid", 0o755|os.ModeSetuid))
	check(t, os.WriteFile(dir+"/secret", []byte("x"), 0o600))
	check(t, os.Chmod(dir, 0o755))
	return dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestDrop(t *testing.T) {
	dir := buildVictim(t)
	// A column a mode. "none" and "user" are the controls: they show that each
	// attack works on a process that did not call Drop.
	const (
		none = iota
		user
		drop
		keep
		keepThenAll
	)
	modes := []string{none: "none", user: "user", drop: "drop", keep: "keep", keepThenAll: "keep-then-all"}
	const fallback = "1899999999"
	want := []struct {
		attack string
		by     [5]string
	}{
		{"read a secret", [5]string{none: "done", user: "refused", drop: "refused", keep: "done", keepThenAll: "refused"}},
		{"write a secret", [5]string{none: "done", user: "refused", drop: "refused", keep: "refused", keepThenAll: "refused"}},
		{"set-user-id program", [5]string{none: "0", user: "0", drop: fallback, keep: fallback, keepThenAll: fallback}},
		{"setgroups", [5]string{none: "done", user: "refused", drop: "refused", keep: "refused", keepThenAll: "refused"}},
		{"setgid", [5]string{none: "done", user: "refused", drop: "refused", keep: "refused", keepThenAll: "refused"}},
		{"setuid", [5]string{none: "done", user: "done", drop: "refused", keep: "refused", keepThenAll: "refused"}},
		{"raw setuid on each thread", [5]string{none: "done", user: "done", drop: "refused", keep: "refused", keepThenAll: "refused"}},
		{"chroot", [5]string{none: "done", user: "done", drop: "refused", keep: "refused", keepThenAll: "refused"}},
	}
	for i, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			out, err := exec.Command(dir+"/victim", mode, dir+"/secret").CombinedOutput()
			if err != nil {
				t.Fatalf("victim: %v\n%s", err, out)
			}
			var b strings.Builder
			for _, w := range want {
				b.WriteString(w.attack + ": " + w.by[i] + "\n")
			}
			if string(out) != b.String() {
				t.Errorf("found:\n%swant:\n%s", out, b.String())
			}
		})
	}
}

func TestRefused(t *testing.T) {
	dir := buildVictim(t)
	for mode, want := range map[string]string{
		"root":        "has uid 0",
		"all-as-root": "still root",
	} {
		out, err := exec.Command(dir+"/victim", mode, dir+"/secret").CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, %q; want a failure with %q", mode, err, out, want)
		}
	}
}

func TestVerifyFindsEachDifference(t *testing.T) {
	good := state{uid: 7, gid: 8, caps: 1 << DACReadSearch, emptied: true}
	status := "Uid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nGroups:\t \n" +
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000004\nCapEff:\t0000000000000004\n" +
		"CapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"
	if err := good.compare(fields([]byte(status))); err != nil {
		t.Fatalf("a good status: %v", err)
	}
	for _, change := range [][2]string{
		{"7\t7\t7\t7", "7\t7\t0\t7"}, {"8\t8\t8\t8", "8\t8\t8\t0"}, {"Groups:\t ", "Groups:\t4"},
		{"CapInh:\t0", "CapInh:\t1"}, {"CapPrm:\t0", "CapPrm:\t1"}, {"CapEff:\t0", "CapEff:\t1"},
		{"CapBnd:\t0", "CapBnd:\t1"}, {"CapAmb:\t0", "CapAmb:\t1"}, {"Privs:\t1", "Privs:\t0"},
		{"CapEff:", "CapOther:"},
	} {
		bad := strings.Replace(status, change[0], change[1], 1)
		if err := good.compare(fields([]byte(bad))); err == nil {
			t.Errorf("status with %q for %q: no error", change[1], change[0])
		}
	}
}

func TestLookup(t *testing.T) {
	u, exists, err := Lookup("root")
	if err != nil || !exists || u != (User{Name: "root"}) {
		t.Errorf("Lookup(root) = %v, %v, %v", u, exists, err)
	}
	u, exists, err = Lookup("0")
	if err != nil || !exists || u != (User{Name: "root"}) {
		t.Errorf("Lookup(0) = %v, %v, %v", u, exists, err)
	}
	u, exists, err = Lookup("no-such-account-here")
	if err != nil || exists || u.UID != FallbackID || u.GID != FallbackID {
		t.Errorf("Lookup of a missing account = %v, %v, %v", u, exists, err)
	}
	if gid, exists, err := LookupGroup("root"); gid != 0 || !exists || err != nil {
		t.Errorf("LookupGroup(root) = %d, %v, %v", gid, exists, err)
	}
	if _, exists, err := LookupGroup("no-such-group-here"); exists || err != nil {
		t.Errorf("LookupGroup of a missing group = %v, %v", exists, err)
	}
}

func TestInvoker(t *testing.T) {
	tests := []struct {
		uid, gid string
		found    bool
		bad      bool
	}{
		{"1000", "1001", true, false},
		{"", "", false, false},
		{"0", "0", false, false},
		{"1000", "0", false, false},
		{"x", "1", false, true},
		{"4294967296", "1", false, true},
	}
	for _, tt := range tests {
		t.Setenv("SUDO_UID", tt.uid)
		t.Setenv("SUDO_GID", tt.gid)
		t.Setenv("SUDO_USER", "someone")
		u, found, err := Invoker()
		if found != tt.found || (err != nil) != tt.bad {
			t.Errorf("%q %q: %v, %v, %v", tt.uid, tt.gid, u, found, err)
		}
		if found && u != (User{Name: "someone", UID: 1000, GID: 1001}) {
			t.Errorf("invoker %+v", u)
		}
	}
}

func TestThreadsAreListed(t *testing.T) {
	found, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, %v: verify would check nothing", found, err)
	}
}
