# What many do with busybox. $B is busybox, $1 a directory of its own.
set -e
cd "$1"
$B mkdir -p a/b/c
$B echo hello > a/one
$B cp -a a/one a/two
$B mv a/two a/b/two
$B ln a/one a/hard
$B ln -s one a/soft
$B touch -d '2020-01-02 03:04:05' a/one
$B chmod 640 a/one
$B chown "$($B id -u)" a/one
$B mkfifo a/fifo
$B dd if=/dev/zero of=zeros bs=4096 count=16 2>/dev/null
$B truncate -s 100 zeros
$B sync
$B tar -czf a.tar.gz a
$B mkdir out
$B tar -xzf a.tar.gz -C out
$B cmp a/one out/a/one
$B find out -type l | $B wc -l
$B ls -la a >/dev/null
$B stat a/one >/dev/null
$B df . >/dev/null
$B du -s . >/dev/null
$B grep -r hello a/one
$B sed -i s/hello/bye/ a/one
$B awk '{ print $1 }' a/one
$B sort -r a/one | $B uniq | $B head -n 1 | $B tail -n 1
$B seq 1 100 | $B xargs -n 10 | $B md5sum
$B sha256sum zeros >/dev/null
$B gzip zeros
$B gunzip zeros.gz
$B vi --help >/dev/null 2>&1 || true
$B readlink -f a/soft >/dev/null
$B ps >/dev/null
$B free >/dev/null
$B uptime >/dev/null
$B uname -a >/dev/null
$B date >/dev/null
$B id
$B env -i A=b $B env
$B renice -n 5 -p $$ >/dev/null
$B timeout 5 $B sleep 0.01
$B usleep 1000
$B time $B true 2>/dev/null
$B taskset -p $$ >/dev/null
$B top -b -n 1 >/dev/null
$B pidof sh >/dev/null || true
$B nproc >/dev/null
echo '2 3 * p' | $B dc
$B seq 3 | $B tac | $B shuf | $B sort | $B paste -s
$B find a | $B cpio -o -H newc 2>/dev/null | $B cpio -t >/dev/null
$B xxd zeros | $B head -n 1
$B mknod a/fifo2 p
$B shred -n 1 -u a/fifo3 2>/dev/null || true
$B realpath a/soft >/dev/null
$B expr 1 + 2
$B od -c a/one | $B head -n 1
$B nl a/one
$B yes | $B head -n 1000 | $B wc -l
$B mktemp -p . >/dev/null
$B stty -a >/dev/null 2>&1 || true
$B tty || true
$B sleep 100 & p=$!
$B kill $p
wait $p || true
$B cat < a/one | $B tee copy | $B cat
$B rm -rf a out
$B sh -c 'ulimit -n; ulimit -c 0; umask 077; trap "echo trapped" USR1; kill -USR1 $$; set -o pipefail; cat /proc/self/status | grep -c Seccomp'
$B echo done
