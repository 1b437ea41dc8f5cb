module.exports = { half: (n) => n / 2 };
