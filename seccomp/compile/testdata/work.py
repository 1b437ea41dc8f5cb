"""What many do with Python. argv[1] is a directory of its own."""
import asyncio, ctypes, fcntl, mmap, multiprocessing, os, resource, select, shutil, signal, socket, sqlite3, subprocess, sys, tempfile, threading, time

os.chdir(sys.argv[1])


def files():
    with open("one", "w") as f:
        f.write("x" * 100000)
        f.flush()
        os.fsync(f.fileno())
    shutil.copy2("one", "two")
    shutil.copytree(".", "../" + os.path.basename(os.getcwd()) + "-copy")
    shutil.rmtree("../" + os.path.basename(os.getcwd()) + "-copy")
    with open("one", "r+b") as f:
        with mmap.mmap(f.fileno(), 0) as m:
            m[0:1] = b"y"
            m.flush()
        fcntl.lockf(f, fcntl.LOCK_EX)
        fcntl.flock(f, fcntl.LOCK_EX)
    list(os.scandir("."))
    os.replace("two", "three")
    with tempfile.TemporaryFile() as f:
        f.write(b"z")


def database():
    db = sqlite3.connect("db")
    db.execute("pragma journal_mode=wal")
    db.execute("create table t (a)")
    with db:
        db.executemany("insert into t values (?)", [(i,) for i in range(100)])
    assert db.execute("select sum(a) from t").fetchone() == (4950,)
    db.close()


def threads():
    lock, total = threading.Lock(), []
    def work():
        with lock:
            total.append(threading.get_native_id())
        time.sleep(0.001)
    all = [threading.Thread(target=work) for _ in range(20)]
    for t in all:
        t.start()
    for t in all:
        t.join()
    assert len(total) == 20


def children():
    assert subprocess.run(["/bin/sh", "-c", "cat; exit 3"], input=b"in", capture_output=True).returncode == 3
    p = subprocess.Popen(["/bin/sleep", "100"], start_new_session=True)
    p.terminate()
    assert p.wait() == -signal.SIGTERM
    pid = os.fork()
    if pid == 0:
        os._exit(5)
    fd = os.pidfd_open(pid)
    select.select([fd], [], [])
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


def square(n):
    return n * n


def pools():
    context = multiprocessing.get_context("fork")
    with context.Pool(3) as pool:
        assert pool.map(square, range(10)) == [n * n for n in range(10)]
    queue = context.Queue()
    p = context.Process(target=queue.put, args=("hi",))
    p.start()
    assert queue.get() == "hi"
    p.join()


def events():
    libc = ctypes.CDLL(None, use_errno=True)
    poll = select.epoll()
    counter = os.eventfd(1)
    poll.register(counter, select.EPOLLIN)
    assert poll.poll(10) == [(counter, select.EPOLLIN)]
    watch = libc.inotify_init1(0)
    assert libc.inotify_add_watch(watch, b".", 0x100) >= 0
    open("watched", "w").close()
    assert os.read(watch, 4096)
    timer = libc.timerfd_create(time.CLOCK_MONOTONIC, 0)
    libc.timerfd_settime(timer, 0, (ctypes.c_long * 4)(0, 0, 0, 1000000), None)
    assert len(os.read(timer, 8)) == 8
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    mask = (ctypes.c_ulong * 16)(1 << signal.SIGUSR2 - 1)
    taken = libc.signalfd(-1, mask, 0)
    os.kill(os.getpid(), signal.SIGUSR2)
    assert len(os.read(taken, 128)) == 128
    got = []
    signal.signal(signal.SIGALRM, lambda *a: got.append(1))
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    while not got:
        time.sleep(0.001)


async def loop():
    async def echo(r, w):
        w.write(await r.read(4))
        await w.drain()
        w.close()
    server = await asyncio.start_unix_server(echo, "socket")
    r, w = await asyncio.open_unix_connection("socket")
    w.write(b"ping")
    assert await r.read() == b"ping"
    w.close()
    server.close()
    p = await asyncio.create_subprocess_exec("/bin/echo", "hi", stdout=subprocess.PIPE)
    assert await p.stdout.read() == b"hi\n"
    await p.wait()


def descriptors():
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with open("one") as f:
        socket.send_fds(a, [b"f"], [f.fileno()])
    _, fds, _, _ = socket.recv_fds(b, 1, 1)
    assert os.read(fds[0], 1) == b"y"


files()
database()
threads()
children()
pools()
events()
asyncio.run(loop())
descriptors()
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
print("done")
