package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mpsupervisor/mpsupervisor/internal/bundle/archive"
	"github.com/mpsupervisor/mpsupervisor/internal/control/controlpb"
)

// learnedTimeout bounds the question about what was learned, which comes when
// the command may have been told to end.
const learnedTimeout = 10 * time.Second

// manifestFile and vendorMember name what a learned change is about.
const (
	manifestFile = "manifest.json"
	vendorMember = "mpsupervisor"
)

// learned prints what was learned from a program that has ended with err, if
// anything was to be, and returns how the command ends.
func (j *job) learned(p *program, err error) error {
	if !j.o.learn {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), learnedTimeout)
	defer cancel()
	r, failed := j.session.client.Learned(ctx, &controlpb.LearnedRequest{Id: p.id})
	if failed == nil {
		failed = j.printLearned(r)
	}
	if failed == nil {
		return err
	}
	failed = fmt.Errorf("cannot tell what was learned: %w", failed)
	if err == nil {
		return failed
	}
	fmt.Fprintf(j.a.err, "mpsupervisor: %s\n", printable(failed.Error(), true)) // the program's end decides the status
	return err
}

// learnView is what --learn prints with -o json.
type learnView struct {
	Complete  bool            `json:"complete"`
	Syscalls  []syscallView   `json:"syscalls"`
	HostCalls []string        `json:"host_calls"`
	Domains   []string        `json:"domains"`
	Manifest  json.RawMessage `json:"manifest"` // the member "mpsupervisor"
}

type syscallView struct {
	Syscall string `json:"syscall"`
	Count   uint64 `json:"count"`
	Action  string `json:"action"`
}

func (j *job) printLearned(r *controlpb.LearnedResponse) error {
	if !json.Valid([]byte(r.GetManifestJson())) {
		return errors.New("the supervisor has no manifest for it: the program has not ended")
	}
	if j.learnJSON {
		return printJSON(j.a.out, viewLearned(r))
	}
	if err := j.printSeen(r); err != nil {
		return err
	}
	change, err := j.manifestChange([]byte(r.GetManifestJson()))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(j.a.err, printable(change, true))
	return err
}

func viewLearned(r *controlpb.LearnedResponse) learnView {
	v := learnView{Complete: r.GetComplete(), Syscalls: []syscallView{}, HostCalls: append([]string{}, r.GetHostCalls()...),
		Domains: append([]string{}, r.GetDomains()...), Manifest: json.RawMessage(r.GetManifestJson())}
	for _, s := range r.GetSyscalls() {
		v.Syscalls = append(v.Syscalls, syscallView{s.GetSyscall(), s.GetCount(), s.GetAction()})
	}
	return v
}

// printSeen prints what the program asked for, as a table.
func (j *job) printSeen(r *controlpb.LearnedResponse) error {
	t := newTable(j.a.err)
	t.row("SYSTEM CALL", "COUNT", "WITHOUT --learn")
	for _, s := range r.GetSyscalls() {
		t.row(s.GetSyscall(), strconv.FormatUint(s.GetCount(), 10), s.GetAction())
	}
	for _, h := range r.GetHostCalls() {
		t.row("(host call) "+h, "-", "allow")
	}
	for _, d := range r.GetDomains() {
		t.row("(domain) "+d, "-", "allow")
	}
	return t.flush()
}

// manifestChange is the change of the package's manifest that allows what was
// seen, or without a package the whole member.
func (j *job) manifestChange(suggested []byte) (string, error) {
	if j.o.native {
		return fmt.Sprintf("the least that a manifest must allow for this:\n%q: %s", vendorMember, layOut(suggested, "")), nil
	}
	old, err := j.manifest()
	if err != nil {
		return "", err
	}
	changed, err := withVendor(old, suggested)
	if err != nil {
		return "", err
	}
	name := filepath.Join(j.o.dir, manifestFile)
	if d := diff(string(old), string(changed)); d != "" {
		return fmt.Sprintf("the change that leaves the manifest just enough for this (nothing was written):\n--- %s\n+++ %s\n%s", name, name, strings.TrimSuffix(d, "\n")), nil
	}
	return name + " allows just this already", nil
}

// manifest is the one of the package as it was packed.
func (j *job) manifest() ([]byte, error) {
	info, err := j.pkg.Stat()
	if err != nil {
		return nil, err
	}
	files, err := archive.Files(j.pkg, info.Size())
	if err != nil {
		return nil, err
	}
	return files.ReadFile(manifestFile)
}

// withVendor returns a manifest with the suggested member over its own, and
// every other byte as it was.
func withVendor(manifest, suggested []byte) ([]byte, error) {
	from, to, own, err := findVendor(manifest)
	if err != nil {
		return nil, err
	}
	merged := mergeJSON(own, suggested)
	var b bytes.Buffer
	if bytes.Equal(compact(merged), compact(own)) {
		return manifest, nil
	}
	b.Write(manifest[:from])
	if own == nil {
		fmt.Fprintf(&b, ",\n  %q: ", vendorMember)
	}
	b.WriteString(layOut(merged, "  "))
	if own == nil {
		b.WriteString("\n")
	}
	b.Write(manifest[to:])
	return b.Bytes(), nil
}

// findVendor finds the value of the member, or the place for one: after the last
// member.
func findVendor(manifest []byte) (from, to int, own json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(manifest))
	if _, err := d.Token(); err != nil { // the brace
		return 0, 0, nil, err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return 0, 0, nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return 0, 0, nil, err
		}
		to = int(d.InputOffset())
		if name == vendorMember {
			return to - len(value), to, value, nil
		}
	}
	return to, to + bytes.IndexByte(manifest[to:], '}'), nil, nil
}

// mergeJSON lays over on top of base: objects member by member, in the order of
// base, anything else as a whole.
func mergeJSON(base, over []byte) []byte {
	names, members, ok := object(base)
	overNames, overMembers, overOK := object(over)
	if !ok || !overOK {
		return over
	}
	for _, n := range overNames {
		if own, there := members[n]; there {
			members[n] = mergeJSON(own, overMembers[n])
			continue
		}
		names, members[n] = append(names, n), overMembers[n]
	}
	var b bytes.Buffer
	for i, n := range names {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(quoted(n) + ":")
		b.Write(members[n])
	}
	if len(names) == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	return b.Bytes()
}

// quoted is a string as JSON has it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a string always can be
	return string(b)
}

// maxInline is how long a list may be that stands on one line.
const maxInline = 80

// layOut writes JSON as people do: members on lines of their own, and lists of
// plain values on one if they are short. Every line but the first begins with
// indent.
func layOut(b []byte, indent string) string {
	deeper := indent + "  "
	var items []string
	if names, members, ok := object(b); ok {
		for _, n := range names {
			items = append(items, quoted(n)+": "+layOut(members[n], deeper))
		}
		return wrapped(items, "{", "}", indent)
	}
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil || list == nil {
		return string(compact(b))
	}
	for _, item := range list {
		items = append(items, layOut(item, deeper))
	}
	if line := "[" + strings.Join(items, ", ") + "]"; len(line) <= maxInline && !strings.Contains(line, "\n") {
		return line
	}
	return wrapped(items, "[", "]", indent)
}

func wrapped(items []string, begin, end, indent string) string {
	if len(items) == 0 {
		return begin + end
	}
	return begin + "\n" + indent + "  " + strings.Join(items, ",\n"+indent+"  ") + "\n" + indent + end
}

func compact(b []byte) []byte {
	var out bytes.Buffer
	json.Compact(&out, b) // of what is not JSON nothing comes
	return out.Bytes()
}
