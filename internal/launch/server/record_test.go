package server

import (
	"strings"
	"testing"
	"time"
)

const example = `audit(1795373947.053:123): auid=4294967295 uid=1700000001 gid=1700000001 ses=4294967295 subj=unconfined (x) pid=321 comm="sh" exe="/bin/busybox" sig=0 arch=c000003e syscall=165 compat=0 ip=0x7f12 code=0x50001`

func TestParseRecord(t *testing.T) {
	replace := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(example) }
	base := record{time.Unix(1795373947, 53e6), 1700000001, 321, "sh", 0xc000003e, 165, 0x50001}
	with := func(change func(*record)) record { r := base; change(&r); return r }
	for _, test := range []struct {
		text   string
		want   record
		action string
	}{
		{example, base, "refused"},
		{example + "\x00", base, "refused"},
		{replace("0x50001", "0x80000000"), with(func(r *record) { r.code = 0x80000000 }), "killed"},
		{replace("0x50001", "0x0"), with(func(r *record) { r.code = 0 }), "killed"},
		{replace("0x50001", "0x7ffc0000"), with(func(r *record) { r.code = 0x7ffc0000 }), "logged"},
		{replace(`"sh"`, "61203D20", "syscall=165", "syscall=1073741989"), with(func(r *record) { r.command, r.nr = "a = ", 1073741989 }), "refused"},
		{replace(`"sh"`, "2075FF", "syscall=165", "syscall=-1"), with(func(r *record) { r.command, r.nr = " u\uFFFD", -1 }), "refused"},
		{replace(`"sh"`, "(null)"), with(func(r *record) { r.command = "" }), "refused"},
	} {
		r, ok := parseRecord([]byte(test.text))
		if !ok || r != test.want || r.action() != test.action {
			t.Errorf("%s\ngives %+v, %s, %v\nwant  %+v, %s", test.text, r, r.action(), ok, test.want, test.action)
		}
	}
	for _, bad := range []string{"", "audit(", replace(" uid=", " user="), replace("pid=321", "pid=x"), replace("1795373947.053", "now"),
		replace("1700000001 gid", "99999999999 gid"), replace("code=0x50001", "code=")} {
		if r, ok := parseRecord([]byte(bad)); ok {
			t.Errorf("%s\ngives %+v", bad, r)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(example))
	f.Fuzz(func(t *testing.T, b []byte) {
		split(b, func(payload []byte) {
			if len(payload) > len(b) {
				t.Errorf("%d bytes out of %d", len(payload), len(b))
			}
			parseDeath(payload)
			parseRecord(payload)
		})
		parseDeath(b)
		if r, ok := parseRecord(b); ok && r.action() == "" {
			t.Errorf("%q gives %+v", b, r)
		}
	})
}
