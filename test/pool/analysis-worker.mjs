// A worker of a pool, made of a file, that knows the analysis.
import 'focal-loss/worker';
import { poolAnalysis } from 'focal-loss/analysis';

poolAnalysis.provide();
