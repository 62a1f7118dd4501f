// dependency-cruiser reads these rules (`npm run check:cycles`): no import cycles, types included, and the hub's
// channels import nothing of its sockets.
export default {
  forbidden: [
    { name: 'import-cycle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'sockets-in-channels',
      severity: 'error',
      from: { path: '^apps/chat-hub/src/channels/', pathNot: '\\.test\\.ts$' },
      to: { path: '^apps/chat-hub/src/sockets/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    includeOnly: '^(packages|apps|tools)/',
    exclude: '(^|/)(node_modules|dist|out-tsc)/',
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@openclaw/source', 'import', 'default'],
      extensions: ['.ts', '.tsx', '.mjs'],
    },
  },
};
