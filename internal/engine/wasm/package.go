package wasm

import (
	"io/fs"
	"path"
	"strings"

	experimentalsys "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/sys"
)

// packageFS shows the package's files to the guest: EROFS is the answer to
// whatever would change one.
type packageFS struct{ sysfs.AdaptFS }

const readOnly = experimentalsys.EROFS

// writing are the flags that make an open one to write.
const writing = experimentalsys.O_RDWR | experimentalsys.O_WRONLY | experimentalsys.O_CREAT | experimentalsys.O_TRUNC

func (f *packageFS) OpenFile(name string, flag experimentalsys.Oflag, perm fs.FileMode) (experimentalsys.File, experimentalsys.Errno) {
	if flag&writing != 0 {
		return nil, readOnly
	}
	return f.AdaptFS.OpenFile(name, flag, perm)
}

// Stat does not open the file, as AdaptFS would.
func (f *packageFS) Stat(name string) (sys.Stat_t, experimentalsys.Errno) {
	info, err := fs.Stat(f.FS, path.Clean("./"+strings.TrimPrefix(name, "/")))
	if err != nil {
		return sys.Stat_t{}, experimentalsys.UnwrapOSError(err)
	}
	return sys.NewStat_t(info), 0
}

func (f *packageFS) Lstat(name string) (sys.Stat_t, experimentalsys.Errno) { return f.Stat(name) }
func (*packageFS) Mkdir(string, fs.FileMode) experimentalsys.Errno         { return readOnly }
func (*packageFS) Chmod(string, fs.FileMode) experimentalsys.Errno         { return readOnly }
func (*packageFS) Rename(string, string) experimentalsys.Errno             { return readOnly }
func (*packageFS) Rmdir(string) experimentalsys.Errno                      { return readOnly }
func (*packageFS) Link(string, string) experimentalsys.Errno               { return readOnly }
func (*packageFS) Symlink(string, string) experimentalsys.Errno            { return readOnly }
func (*packageFS) Unlink(string) experimentalsys.Errno                     { return readOnly }
func (*packageFS) Utimens(string, int64, int64) experimentalsys.Errno      { return readOnly }
