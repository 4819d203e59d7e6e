// For runtimes without pages that have a browser's workers.
const worker = new Worker(new URL('./worker.js', import.meta.url).href, { type: 'module' });
worker.onmessage = ({ data }) => {
  console.log(data);
  worker.terminate();
};
