import { type Batch, DataError } from './batch.js';
import { readCsv } from './csv.js';
import { readNpy, toBatch } from './npy.js';

/** Reads what was dropped or chosen: a CSV file, a .npy file, or two of those. */
export async function openFiles(
  files: readonly File[],
  onProgress: (share: number) => void,
): Promise<Batch> {
  const [first] = files;
  const isNpy = files.map(({ name }) => /\.npy$/i.test(name));
  if (files.length === 1 && !isNpy[0]) {
    return readCsv(first, first.name, (characters) => onProgress(characters / first.size));
  }
  if (files.length > 2 || isNpy.includes(false)) {
    throw new DataError(
      'Choose one CSV file, one .npy file, or two .npy files: logits and targets',
    );
  }
  const arrays = [];
  for (const file of files) {
    arrays.push(readNpy(await file.arrayBuffer(), file.name));
    onProgress(arrays.length / files.length);
  }
  return toBatch(arrays);
}
