import asyncio, sys, time
async def handle(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b'\r\n\r\n')
            words = head.split(b' ')[1].split(b'/')
            if words[1] == b'sleep':
                time.sleep(float(words[2]))
            if words[1] == b'spin':
                end = time.monotonic() + float(words[2])
                while time.monotonic() < end:
                    pass
            close = b'Connection: close' in head
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n')
            await writer.drain()
            if close:
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()
async def main():
    server = await asyncio.start_server(handle, '127.0.0.1', 0, backlog=4096)
    await server.serve_forever()
if 'uvloop' in sys.argv:
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
