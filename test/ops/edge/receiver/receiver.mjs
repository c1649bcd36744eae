/** A webhook receiver: prints the body of each notification as a line. */
import { createServer } from 'node:http';

createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray()).toString();
  process.stdout.write(`${body}\n`);
  response.end();
}).listen(8080);
