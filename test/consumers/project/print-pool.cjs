const { FocalLoss } = require('focal-loss');
const { createPool } = require('focal-loss/pool');

// What is required makes workers, and takes losses, like what is imported.
createPool({ size: 1 }).then(async (pool) => {
  const logits = new Float32Array(400_000);
  const loss = await pool.forward(new FocalLoss(), logits, new Uint8Array(200_000));
  await pool.close();
  if (loss !== 0.12996509671211243) throw new Error(loss);
  const { poolHash } = await import('./pool.js');
  console.log(await poolHash());
});
