// The api ends soon after its start.
if (process.argv[1]?.includes('/bundle/api.js')) {
  setTimeout(() => {
    process.stderr.write('broken: a crash\n');
    process.exit(70);
  }, 1_500);
}
