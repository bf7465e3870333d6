require('http').createServer((request, answer) => {
  const words = request.url.split('/')
  if (words[1] == 'spin') { const end = Date.now() + 1000 * words[2]; while (Date.now() < end); }
  answer.end('ok\n')
}).listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
