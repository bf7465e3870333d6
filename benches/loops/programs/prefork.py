import os, select, socket, time
listener = socket.create_server(('127.0.0.1', 0), backlog=4096)
listener.setblocking(False)
HEAD = b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'
def work():
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN | select.EPOLLEXCLUSIVE)
    clients = {}
    while True:
        for fd, _ in epoll.poll():
            if fd == listener.fileno():
                try:
                    client, _ = listener.accept()
                except BlockingIOError:
                    continue
                client.setblocking(False)
                clients[client.fileno()] = client
                epoll.register(client, select.EPOLLIN)
                continue
            client = clients[fd]
            try:
                data = client.recv(65536)
            except OSError:
                data = b''
            words = data.split(b' ')[1].split(b'/') if data else []
            if words and words[1] == b'sleep':
                # Who asks knows which process that is before it sleeps.
                client.send(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nWorker: %d\r\n\r\n' % os.getpid())
                time.sleep(float(words[2]))
                client.send(b'ok\n')
            elif data:
                client.send(HEAD + b'ok\n')
            if not data or b'Connection: close' in data:
                epoll.unregister(fd)
                del clients[fd]
                client.close()
for _ in range(4):
    if os.fork() == 0:
        work()
os.wait()
