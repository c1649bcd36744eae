// The api is fine; the worker ends soon after its start.
if (process.argv[1]?.includes('/bundle/worker.js')) {
  setTimeout(() => {
    process.stderr.write('broken: a crash of the worker\n');
    process.exit(70);
  }, 1_500);
}
