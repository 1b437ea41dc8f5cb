package escape

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mpsupervisor/mpsupervisor/isolate/lock"
)

var update = flag.Bool("update", false, "write the tables of docs/threat-model.md anew")

// page has the tables that are made here, each between two marks.
const page = "../../docs/threat-model.md"

// shown is one attack as the page has it.
type shown struct {
	what, sealed string
	lock         lock.Name
	aside        []lock.Name
	held, open   string
	needs        string
	tests        []func(*testing.T)
}

// alone are the attacks that are no rows, because each needs a test of its own.
var alone = []shown{
	{what: "be the user of the host that the worker runs as", lock: lock.UserNamespace, aside: filter,
		sealed: "SIGSYS", held: "done: another user", open: "done: that user", tests: []func(*testing.T){TestIsolatedUserNamespace}},
	{what: "share the cgroup namespace of the host", lock: lock.CgroupNamespace,
		sealed: "its own", held: "its own", open: "the host's", tests: []func(*testing.T){TestIsolatedNamespaces}},
	{what: "signal another worker, where no namespace hides it", lock: lock.UIDRange, aside: append([]lock.Name{lock.PidNamespace}, filterAndLL...),
		sealed: "SIGSYS", held: "EPERM", open: "done", tests: []func(*testing.T){TestPlainUIDRange}},
	{what: "find a key of the session that started the launcher", lock: lock.Keyring, aside: filter,
		sealed: "SIGSYS", held: "ENOKEY", open: "done", tests: []func(*testing.T){TestIsolatedKeyring}},
	{what: "use 200 MiB, with a limit of 64", lock: lock.MemoryLimit,
		sealed: "SIGKILL", held: "SIGKILL", open: "done", tests: []func(*testing.T){TestIsolatedMemoryLimit}},
	{what: "native: put 16 MiB or 100 files into a /tmp of 8 MiB and 64 files", lock: lock.ReadOnlyRoot,
		sealed: "ENOSPC", held: "ENOSPC", open: "done", tests: []func(*testing.T){TestNativeTmp}},
	{what: "wasm: execute what a compiler made, in its own worker", lock: lock.Seccomp, aside: []lock.Name{lock.MDWE},
		sealed: "exited", held: "exited", open: "done", tests: []func(*testing.T){TestWasmCompiling}},
	{what: "use more processor time than its share", lock: lock.CPULimit,
		sealed: "held back", held: "held back", open: "not held back", tests: []func(*testing.T){TestIsolatedCPULimit}},
}

// everyAttack lists what the tests try, in the order of the locks.
func everyAttack(t *testing.T) []shown {
	plainOnly, isolatedOnly, nativeOnly := []func(*testing.T){TestPlainLocks}, []func(*testing.T){TestIsolatedLocks}, []func(*testing.T){TestNativeLocks}
	all := slices.Concat(alone,
		rowsAre(nativeRows(t), nativeOnly),
		rowsAre(ownLocks, slices.Concat(plainOnly, isolatedOnly)),
		rowsAre(privilegeLocks, plainOnly),
		rowsAre(wasmLocks, []func(*testing.T){TestWasmLocks}),
		rowsAre(launcherLocks(t), isolatedOnly))
	order := map[lock.Name]int{}
	for i, info := range lock.All() {
		order[info.Name] = i
	}
	slices.SortStableFunc(all, func(a, b shown) int { return order[a.lock] - order[b.lock] })
	return all
}

func rowsAre(rows []row, tests []func(*testing.T)) (all []shown) {
	for _, r := range rows {
		open := r.open
		if r.lock == lock.UTSNamespace {
			open = "done: the host's" // whatever that is here
		}
		all = append(all, shown{r.what, r.sealed, r.lock, r.aside, r.held, open, r.needs, tests})
	}
	return all
}

// TestThreatModel holds the page to the tests: what they try is what it says.
func TestThreatModel(t *testing.T) {
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	attacks := everyAttack(t)
	text := string(b)
	for mark, table := range map[string]string{
		"locks": lockTable(t, attacks), "attacks": attackTable(attacks), "calls": codeList(interfaces), "files": codeList(hostFiles),
		"native calls": codeList(refusedToNative(t)), "native files": codeList(slices.Sorted(maps.Keys(nativeFiles))),
	} {
		text = replaceBetween(t, text, "<!-- made: "+mark+" -->\n", "<!-- end -->\n", table)
	}
	if text == string(b) {
		return
	}
	if !*update {
		t.Fatalf("%s is not what is tried (go test ./test/escape -run ThreatModel -update writes it anew)", page)
	}
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// lockTable fails for a lock without which nothing was shown to get further.
func lockTable(t *testing.T, attacks []shown) string {
	var b strings.Builder
	b.WriteString("| lock | set by | without it, a worker could be | tests, each with its control |\n|---|---|---|---|\n")
	for _, info := range lock.All() {
		var tests []string
		for _, a := range attacks {
			if a.lock == info.Name {
				tests = append(tests, names(a.tests)...)
			}
		}
		if len(tests) == 0 {
			t.Errorf("no attack shows what lock %q stops", info.Name)
		}
		slices.Sort(tests)
		fmt.Fprintf(&b, "| %s | %s | %s%s | %s |\n", info.Name, info.By, info.Stops, since(info), strings.Join(slices.Compact(tests), ", "))
	}
	return b.String()
}

func since(info lock.Info) string {
	if info.Instead == "" {
		return ""
	}
	return fmt.Sprintf(" (%s; before it: %s)", info.Since, info.Instead)
}

func attackTable(attacks []shown) string {
	var b strings.Builder
	b.WriteString("| attack | sealed | lock | with it, and without | without it either |\n|---|---|---|---|---|\n")
	for _, a := range attacks {
		held := a.held
		if len(a.aside) > 0 {
			held += ", without " + list(a.aside)
		}
		if a.needs != "" {
			held += " (needs " + a.needs + ")"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", a.what, a.sealed, a.lock, held, a.open)
	}
	return b.String()
}

func list(locks []lock.Name) string {
	var all []string
	for _, l := range locks {
		all = append(all, string(l))
	}
	return strings.Join(all, ", ")
}

// names gives the functions' own names, in code.
func names(tests []func(*testing.T)) (all []string) {
	for _, f := range tests {
		name := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
		all = append(all, "`"+name[strings.LastIndexByte(name, '.')+1:]+"`")
	}
	return all
}

// codeList sets words as code, a few on each line.
func codeList(words []string) string {
	var b strings.Builder
	for i, w := range words {
		end := ",\n"
		switch {
		case i == len(words)-1:
			end = ".\n"
		case i%8 != 7:
			end = ", "
		}
		b.WriteString("`" + w + "`" + end)
	}
	return b.String()
}

func replaceBetween(t *testing.T, text, from, to, with string) string {
	t.Helper()
	before, rest, ok := strings.Cut(text, from)
	_, after, ended := strings.Cut(rest, to)
	if !ok || !ended {
		t.Fatalf("%s has no place between %q and %q", page, from, to)
	}
	return before + from + with + to + after
}
