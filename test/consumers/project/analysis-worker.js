import 'focal-loss/worker';
import { poolAnalysis } from 'focal-loss/analysis';

poolAnalysis.provide();
