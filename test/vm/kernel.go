package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// suites are Debian's archives that have the kernels, as apt's sources name them.
var suites = map[string]string{
	"6.1":  "http://deb.debian.org/debian-security bookworm-security",
	"6.12": "http://deb.debian.org/debian bookworm-backports",
}

// metapackage depends on the newest kernel for virtual machines of an archive.
const metapackage = "linux-image-cloud-amd64"

// kernel is an unpacked kernel package.
type kernel struct {
	version string // "6.1.0-56-cloud-amd64"
	tree    string // the directory it is unpacked in
}

// fetch gives a kernel, downloading it if the user's cache does not have it. A
// kernel in the cache is used as it is: to have a newer one, remove it there.
func fetch(ctx context.Context, name string) (kernel, error) {
	suite, ok := suites[name]
	if !ok {
		return kernel{}, fmt.Errorf("no such kernel: there are 6.1 and 6.12")
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return kernel{}, err
	}
	dir := filepath.Join(cache, "mpsupervisor", "vm", name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return kernel{}, err
	}
	unlock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return kernel{}, err
	}
	defer unlock()
	tree := filepath.Join(dir, "tree")
	if _, err := os.Stat(tree); errors.Is(err, fs.ErrNotExist) {
		fmt.Printf("downloading kernel %s to %s\n", name, dir)
		if err := download(ctx, suite, dir, tree); err != nil {
			return kernel{}, fmt.Errorf("cannot get the kernel: %w", err)
		}
	}
	images, err := filepath.Glob(tree + "/boot/vmlinuz-*")
	if err != nil || len(images) != 1 {
		return kernel{}, fmt.Errorf("%d kernels in %s: remove it", len(images), tree)
	}
	return kernel{strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-"), tree}, nil
}

// image is the file that the machine boots.
func (k kernel) image() string { return filepath.Join(k.tree, "boot", "vmlinuz-"+k.version) }

// lockFile waits until no other process holds the file.
func lockFile(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// aptConf keeps apt in a directory of its own: the host's sources, lists and
// packages are neither read nor changed. Its proxies are used.
const aptConf = `#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::Etc::SourceList "%[1]s/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State::Lists "%[1]s/lists";
Dir::State::status "/dev/null";
Dir::Cache "%[1]s/cache";
APT::Architecture "amd64";
APT::Architectures "amd64";
APT::Sandbox::User "";
Acquire::Languages "none";
`

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// download has apt fetch and check the kernel, and unpacks it.
func download(ctx context.Context, suite, dir, tree string) error {
	apt := filepath.Join(dir, "apt")
	defer os.RemoveAll(apt)
	for _, d := range []string{"lists/partial", "cache/archives/partial", "tree"} {
		if err := os.MkdirAll(filepath.Join(apt, d), 0o755); err != nil {
			return err
		}
	}
	conf := filepath.Join(apt, "apt.conf")
	err := errors.Join(
		os.WriteFile(conf, fmt.Appendf(nil, aptConf, apt), 0o644),
		os.WriteFile(filepath.Join(apt, "sources.list"), fmt.Appendf(nil, "deb [signed-by=%s] %s main\n", keyring, suite), 0o644))
	if err != nil {
		return err
	}
	if _, err := tool(ctx, apt, "apt-get", "-c", conf, "-qq", "update"); err != nil {
		return err
	}
	depends, err := tool(ctx, apt, "apt-cache", "-c", conf, "depends", "--important", metapackage)
	if err != nil {
		return err
	}
	_, name, ok := strings.Cut(depends, "Depends: ")
	if !ok {
		return fmt.Errorf("%s depends on no kernel: %q", metapackage, depends)
	}
	name, _, _ = strings.Cut(name, "\n")
	if _, err := tool(ctx, apt, "apt-get", "-c", conf, "-qq", "download", name); err != nil {
		return err
	}
	packages, err := filepath.Glob(apt + "/*.deb")
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("apt downloaded %d packages", len(packages))
	}
	return unpack(ctx, packages[0], filepath.Join(apt, "tree"), tree)
}

// unpack unpacks a kernel package and lists what its modules depend on, which
// its installation would have done.
func unpack(ctx context.Context, deb, temporary, tree string) error {
	if _, err := tool(ctx, "", "dpkg-deb", "-x", deb, temporary); err != nil {
		return err
	}
	if _, err := os.Stat(temporary + "/lib"); errors.Is(err, fs.ErrNotExist) {
		if err := os.Symlink("usr/lib", temporary+"/lib"); err != nil {
			return err
		}
	}
	images, err := filepath.Glob(temporary + "/boot/vmlinuz-*")
	if err != nil || len(images) != 1 {
		return fmt.Errorf("%d kernels in %s", len(images), filepath.Base(deb))
	}
	version := strings.TrimPrefix(filepath.Base(images[0]), "vmlinuz-")
	if _, err := tool(ctx, "", "depmod", "-b", temporary, version); err != nil {
		return err
	}
	return os.Rename(temporary, tree)
}

// tool runs a program and gives what it wrote.
func tool(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin", "LC_ALL=C")
	var failure strings.Builder
	cmd.Stderr = &failure
	if path, err := exec.LookPath(name); err != nil {
		for _, dir := range []string{"/usr/sbin/", "/sbin/"} {
			if _, err := os.Stat(dir + name); err == nil {
				cmd.Path, cmd.Err = dir+name, nil
			}
		}
	} else {
		cmd.Path = path
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, strings.TrimSpace(failure.String()))
	}
	return string(out), nil
}
