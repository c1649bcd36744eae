// The api works, but never says so.
import { Server } from 'node:http';

const emit = Server.prototype.emit;
if (process.argv[1]?.includes('/bundle/api.js')) {
  Server.prototype.emit = function (event, request, response) {
    if (event !== 'request' || !request.url.startsWith('/health/ready')) return emit.apply(this, arguments);
    return response.writeHead(503).end();
  };
}
