package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

//go:embed init.sh
var initScript []byte

//go:embed standin.sh
var standIn []byte

// busybox is the machine's userland. It must be static.
const busybox = "/bin/busybox"

// makeInitrd writes the machine's first file system.
func makeInitrd(path string, k kernel, load *payload, steps []step) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	a := newArchive(f)
	system(a)
	if err := addModules(a, k); err != nil {
		return err
	}
	load.add(a)
	a.bytes("/plan", 0o644, []byte(plan(load.top, steps)))
	if err := a.close(); err != nil {
		return fmt.Errorf("cannot make the initramfs: %w", err)
	}
	return nil
}

// system adds what every machine has.
func system(a *archive) {
	for _, d := range []string{"/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/var/tmp", "/newroot", "/mnt"} {
		a.dir(d)
	}
	a.device("/dev/console", 5, 1)
	a.bytes("/init", 0o755, initScript)
	a.bytes("/stand-in/go", 0o755, standIn)
	a.bytes("/etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"))
	a.bytes("/etc/group", 0o644, []byte("root:x:0:\nnogroup:x:65534:\n"))
	a.bytes("/etc/hosts", 0o644, []byte("127.0.0.1 localhost vm\n"))
	applets, err := tool(context.Background(), "", busybox, "--list-full")
	a.fail(err)
	a.copy("/bin/busybox", busybox)
	a.link("/usr/bin/busybox", busybox)
	for _, applet := range strings.Fields(applets) {
		if applet != "bin/busybox" {
			a.link("/"+applet, busybox)
		}
	}
}

// addModules adds the modules and the order to load them in.
func addModules(a *archive, k kernel) error {
	dir := filepath.Join(k.tree, "lib", "modules", k.version)
	text, err := os.ReadFile(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return err
	}
	var order strings.Builder
	for _, file := range loadOrder(string(text), modules) {
		content, err := moduleFile(context.Background(), filepath.Join(dir, file))
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(filepath.Base(file), ".xz")
		a.bytes("/modules/"+name, 0o644, content)
		fmt.Fprintln(&order, name)
	}
	a.bytes("/modules/order", 0o644, []byte(order.String()))
	return nil
}

// plan is the script of the steps, each with its number.
func plan(top string, steps []step) string {
	var b strings.Builder
	for i, s := range steps {
		group := ""
		if s.service {
			group = fmt.Sprintf("service-%d", i)
		}
		fmt.Fprintf(&b, "step %d %s %s %s\n", i, quote(filepath.Join(top, s.pkg)), quote(group), quoteAll(s.command()))
	}
	return b.String()
}

// quote gives a word as the shell reads it back.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func quoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quote(w)
	}
	return strings.Join(quoted, " ")
}
