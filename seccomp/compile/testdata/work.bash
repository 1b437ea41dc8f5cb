# What many do with bash and coreutils. $1 is a directory of its own.
set -e
cd "$1"
mkdir -p a/b
echo hello > a/one
cp -a a/one a/two
cp --reflink=auto a/one a/three
cp -r a c
mv a/two a/b/two
ln -s one a/soft
touch -d '2020-01-02 03:04:05' a/one
chmod -R u+rwX a
install -m 755 a/one installed
truncate -s 4096 sparse
sync sparse
stat a/one >/dev/null
df . >/dev/null
du -sh . >/dev/null
ls -la --color=auto a >/dev/null
cat a/one - <<< "here" | sort | uniq -c
diff -r a c || true
tar -czf a.tar.gz a && mkdir out && tar -xzf a.tar.gz -C out
find out -name one -exec sha256sum {} +
seq 1000 | xargs -P 4 -n 100 echo | wc -l
exec 9> lock; flock 9; exec 9>&-
coproc { read x; echo "got $x"; }
echo hi >&"${COPROC[1]}"; read y <&"${COPROC[0]}"; echo "$y"
(exit 3) || echo "status $?"
trap 'echo trapped' USR1; kill -USR1 $BASHPID
sleep 100 & kill $!; wait $! || true
timeout 5 nice -n 3 setsid env true
ulimit -c 0; ulimit -n >/dev/null; ulimit -a >/dev/null
mkfifo fifo; (echo through > fifo &); cat fifo
nproc >/dev/null; date >/dev/null; uname -a >/dev/null; id -u
printf '%s\n' "$(< a/one)" <(echo sub) >/dev/null
echo done
