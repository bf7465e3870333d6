import ctypes, http.server
# Of functions that are called in this way, the interpreter keeps its lock.
python = ctypes.PyDLL(None)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    wbufsize = -1
    def do_GET(self):
        words = self.path.split('/')
        if words[1] == 'sleep':
            python.usleep(int(float(words[2]) * 1e6))
        self.send_response(200)
        self.send_header('Content-Length', '3')
        self.end_headers()
        self.wfile.write(b'ok\n')
    def log_message(self, *words):
        pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 4096
Server(('127.0.0.1', 0), Handler).serve_forever()
