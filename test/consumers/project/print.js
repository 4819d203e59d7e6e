import { hash } from './hash.js';

console.log(hash());
