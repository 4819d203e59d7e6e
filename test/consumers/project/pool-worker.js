import 'focal-loss/worker';
